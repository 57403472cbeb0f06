import { memo, type ReactNode } from 'react';
import { KindIcon } from '../ui/KindIcon';
import { StateGlyph } from '../ui/StateGlyph';
import { lookOf } from '../ui/states';
import css from './GroupFrame.module.css';

interface Props {
  kind: string;
  name: string;
  state: string | null;
  aside?: ReactNode;
  /** Null where what is around it says it. */
  label: string | null;
  selected: boolean;
  /** At the end of the head: what folds the frame. */
  fold?: ReactNode;
}

/** A scope: a frame around its inner tasks, with its own state in the head. */
export const GroupFrame = memo(function GroupFrame({ kind, name, state, aside, label, selected, fold }: Props) {
  return (
    <div
      className={css.frame}
      data-selected={selected || undefined}
      data-look={state === null ? undefined : lookOf(state).look}
    >
      <div className={css.head} data-head {...(label === null ? {} : { role: 'img', 'aria-label': label })}>
        <span className={css.icon}>
          <KindIcon kind={kind} />
        </span>
        <span className={css.name}>{name}</span>
        {aside && <span className={css.aside}>{aside}</span>}
        {state !== null && <StateGlyph state={state} size={16} />}
        {fold}
      </div>
    </div>
  );
});
