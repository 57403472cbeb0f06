import { Button } from '../../ui/Button';
import { placeWords } from '../merge/merge';
import { restored } from '../merge/restore';
import type { Clash, Side } from '../merge/values';
import type { Joined } from '../save';
import { useEditor, useEditorStore } from '../store';
import { Written } from '../versions/Written';
import css from './JoinedChanges.module.css';

/** What somebody else's save changed here, and what was not taken, which can be put back. */
export function JoinedChanges({ joined }: { joined: Joined }) {
  const { theirs, clashes, choices } = joined.merged;
  const decided = new Set(clashes.map(({ path }) => path.join('\n')));
  const taken = theirs.filter(({ path }) => !decided.has(path.join('\n')));
  return (
    <ul className={css.list}>
      {taken.map(({ path, to }) => (
        <li key={path.join('.')} className={css.row}>
          <span className={css.place}>{placeWords(path)}</span> <Written value={to} />
        </li>
      ))}
      {clashes.map((clash, at) => (
        <Refused key={clash.path.join('.')} clash={clash} chosen={choices[at] ?? 'mine'} />
      ))}
    </ul>
  );
}

function Refused({ clash, chosen }: { clash: Clash; chosen: Side }) {
  const store = useEditorStore();
  const readOnly = useEditor((state) => state.readOnly);
  const whose = chosen === 'mine' ? 'theirs' : 'mine';
  const place = placeWords(clash.path);
  const restore = () => store.getState().transact(`Restore ${whose}: ${place}`, (doc) => restored(doc, clash, whose));
  return (
    <li className={css.row}>
      <span className={css.place}>{place}</span>
      <span>not taken: {clash.path.length === 0 ? 'the other text' : <Written value={clash[whose]} />}</span>
      {!readOnly && (
        <Button small onClick={restore}>
          Restore {whose}
        </Button>
      )}
    </li>
  );
}
