import { Fragment, memo, type ReactNode } from 'react';
import { KindIcon } from '../ui/KindIcon';
import { StateGlyph } from '../ui/StateGlyph';
import { lookOf } from '../ui/states';
import css from './TaskCard.module.css';

interface Props {
  kind: string;
  name: string;
  /** Second line, left. */
  title: string;
  /** Null: nothing is known of a state here, as on a version's graph. */
  state: string | null;
  /** Second line, right: attempt, duration, queue. */
  aside?: ReactNode;
  /** First line, before the glyph: problems. */
  badge?: ReactNode;
  /** The whole card in words, for screen readers; null where what is around it says them. */
  label: string | null;
  selected: boolean;
}

/** A card of 208 x 64: stripe in the state's colour, icon, name and glyph above, title and figures below. */
export const TaskCard = memo(function TaskCard({ kind, name, title, state, aside, badge, label, selected }: Props) {
  return (
    <div
      className={css.card}
      {...(label === null ? { 'aria-hidden': true } : { role: 'img', 'aria-label': label })}
      data-selected={selected || undefined}
      data-state={state ?? undefined}
      data-look={state === null ? undefined : lookOf(state).look}
    >
      <div className={css.top}>
        <span className={css.icon}>
          <KindIcon kind={kind} />
        </span>
        <span className={css.name} title={name}>
          {breakable(name)}
        </span>
        {badge}
        {state !== null && (
          <span className={css.glyph}>
            <StateGlyph state={state} size={16} />
          </span>
        )}
      </div>
      <div className={css.bottom}>
        <span className={css.title}>{title}</span>
        {aside && <span className={css.aside}>{aside}</span>}
      </div>
    </div>
  );
});

/** Lets a name break after its dots, dashes and underscores before it breaks anywhere. */
function breakable(name: string): ReactNode {
  return name.split(/(?<=[._\-/])/).map((part, at) => (
    <Fragment key={at}>
      {at > 0 && <wbr />}
      {part}
    </Fragment>
  ));
}
