import css from './StateBadge.module.css';
import { StateGlyph } from './StateGlyph';
import { lookOf } from './states';

interface Props {
  state: string;
  /** Said after the word, for instance "attempt 2". */
  extra?: string | undefined;
  /** plain: no tint, for tables. */
  plain?: boolean;
}

/** Glyph, word and colour of a state, always together. */
export function StateBadge({ state, extra, plain = false }: Props) {
  const { look, word } = lookOf(state);
  return (
    <span className={`${css.badge} ${plain ? css.plain : ''}`} data-look={look} data-state={state}>
      <StateGlyph state={state} />
      <span>
        {word}
        {extra ? `, ${extra}` : ''}
      </span>
    </span>
  );
}
