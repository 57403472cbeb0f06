import { memo, type ReactNode } from 'react';
import css from './StateGlyph.module.css';
import { lookOf, type Look } from './states';

/* Drawn on a 16 x 16 grid. Filled shapes take the state's colour; what stands on them takes the surface's. */
const SHAPES: Record<Look, ReactNode> = {
  queued: (
    <>
      <circle cx="8" cy="8" r="6.25" className={css.line} />
      <path d="M8 4.6V8l2.3 1.5" className={css.line} />
    </>
  ),
  running: <path d="M8 1.75a6.25 6.25 0 1 1-6.25 6.25" className={css.ring} />,
  succeeded: (
    <>
      <circle cx="8" cy="8" r="7" className={css.fill} />
      <path d="m4.9 8.3 2.1 2.1 4.1-4.5" className={css.on} />
    </>
  ),
  failed: (
    <>
      <path d="M5.1 1h5.8L15 5.1v5.8L10.9 15H5.1L1 10.9V5.1z" className={css.fill} />
      <path d="m5.5 5.5 5 5m0-5-5 5" className={css.on} />
    </>
  ),
  retrying: (
    <>
      <path d="M8 .6 15.4 8 8 15.4.6 8z" className={css.fill} />
      <path d="M10.6 7.1A2.8 2.8 0 1 0 10.5 9.3M10.8 4.9v2.3H8.6" className={css.on} />
    </>
  ),
  skipped: (
    <>
      <circle cx="8" cy="8" r="6.25" className={css.dashed} />
      <path d="m5.4 5.6 2.3 2.4-2.3 2.4m3-4.8L10.7 8l-2.3 2.4" className={css.line} />
    </>
  ),
  cancelled: (
    <>
      <rect x="1.5" y="1.5" width="13" height="13" rx="2" className={css.fill} />
      <path d="M4.8 8h6.4" className={css.on} />
    </>
  ),
  approval: (
    <>
      <path d="M8 .7 14.4 4.4v7.2L8 15.3l-6.4-3.7V4.4z" className={css.fill} />
      <circle cx="8" cy="6.1" r="1.75" className={css.onFill} />
      <path d="M4.9 11.3c.4-1.8 1.6-2.6 3.1-2.6s2.7.8 3.1 2.6z" className={css.onFill} />
    </>
  ),
};

const HOLLOW_FAILED = (
  <>
    <path d="M5.4 1.75h5.2l3.65 3.65v5.2l-3.65 3.65H5.4L1.75 10.6V5.4z" className={css.line} />
    <path d="m5.9 5.9 4.2 4.2m0-4.2-4.2 4.2" className={css.line} />
  </>
);

interface Props {
  state: string;
  size?: number;
  /** Set where no word stands beside the glyph. */
  label?: string;
}

/** The shape of a state; its word stands beside it, or goes into `label`. */
export const StateGlyph = memo(function StateGlyph({ state, size = 14, label }: Props) {
  const { look, hollow } = lookOf(state);
  const turning = state === 'running' ? css.turning : '';
  return (
    <svg
      viewBox="0 0 16 16"
      width={size}
      height={size}
      className={`${css.glyph} ${turning}`}
      data-look={look}
      {...(label ? { role: 'img', 'aria-label': label } : { 'aria-hidden': true })}
    >
      {hollow ? HOLLOW_FAILED : SHAPES[look]}
    </svg>
  );
});
