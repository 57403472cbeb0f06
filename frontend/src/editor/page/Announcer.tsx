import { useEditor } from '../store';

/** Says to screen readers what was done last. A repeated sentence differs by a space, so that it is said again. */
export function Announcer() {
  const { text, no } = useEditor((state) => state.said);
  return (
    <div role="status" aria-live="polite" className="visually-hidden" data-announcer>
      {text}
      {no % 2 === 1 && '\u00a0'}
    </div>
  );
}
