import { KindIcon } from '../../ui/KindIcon';
import css from './Palette.module.css';
import type { Found, Mark } from './search';

/** An entry of the palette, with what was searched for marked. */
export function EntryLine({ found: { entry, inTitle, inDescription } }: { found: Found }) {
  return (
    <span className={css.entry} title={entry.description}>
      <KindIcon kind={entry.kind} />
      <span className={css.text}>
        <span className={css.title}>
          <Marked text={entry.title} mark={inTitle} />
          {entry.origin !== '' && <span className={css.origin}> {entry.origin}</span>}
        </span>
        <span className={css.description}>
          <Marked text={entry.description} mark={inDescription} />
        </span>
      </span>
    </span>
  );
}

function Marked({ text, mark }: { text: string; mark: Mark | null }) {
  if (!mark) return text;
  return (
    <>
      {text.slice(0, mark[0])}
      <mark>{text.slice(...mark)}</mark>
      {text.slice(mark[1])}
    </>
  );
}
