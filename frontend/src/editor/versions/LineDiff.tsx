import { useMemo } from 'react';
import { rowsOf } from '../merge/lines';
import css from './LineDiff.module.css';

const WORDS = { '+': 'added', '-': 'removed', ' ': '' } as const;

/** Two texts line by line, without the stretches that are equal. */
export function LineDiff({ label, old, now }: { label: string; old: string; now: string }) {
  const rows = useMemo(() => rowsOf(old, now), [old, now]);
  return (
    <div className={css.frame} role="region" aria-label={label} tabIndex={0}>
      {rows.map((row, at) =>
        row === null ? (
          <div key={at} className={css.gap} aria-label="equal lines left out">
            ⋯
          </div>
        ) : (
          <div key={at} className={css.row} data-sign={row.sign}>
            <span aria-hidden className={css.sign}>
              {row.sign === '-' ? '−' : row.sign}
            </span>
            {row.sign !== ' ' && <span className="visually-hidden">{WORDS[row.sign]}: </span>}
            <span className={css.text}>{row.text.replace(/\n$/, '')}</span>
          </div>
        ),
      )}
    </div>
  );
}
