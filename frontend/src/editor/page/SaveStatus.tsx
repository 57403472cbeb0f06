import { Check, CloudOff, LoaderCircle, TriangleAlert, UsersRound, type LucideIcon } from 'lucide-react';
import { plural } from '../../ui/format';
import { useEditor } from '../store';
import { useSave } from '../saving';
import type { SaveState } from '../save';
import css from './SaveStatus.module.css';

const ICONS: Record<SaveState['is'], LucideIcon> = {
  saved: Check,
  saving: LoaderCircle,
  offline: CloudOff,
  refused: TriangleAlert,
  conflict: UsersRound,
};

/** Whether the server has what is drawn, in a word or two; why not stands in the title. */
export function SaveStatus() {
  const state = useSave((info) => info.state);
  const readOnly = useEditor(({ readOnly: only }) => only);
  if (readOnly && state.is === 'saved') return null;
  const Icon = ICONS[state.is];
  return (
    <span role="status" className={css.status} data-is={state.is} title={'why' in state ? state.why : undefined}>
      <Icon aria-hidden size={14} /> {wordsOf(state)}
    </span>
  );
}

function wordsOf(state: SaveState): string {
  switch (state.is) {
    case 'saved':
      return 'Saved';
    case 'saving':
      return 'Saving…';
    case 'offline':
      return `Offline, ${plural(state.changes, 'change')}`;
    case 'refused':
      return 'Not saved';
    case 'conflict':
      return 'Conflict';
  }
}
