import type { Json } from '../../api/types';
import { formatCount } from '../../ui/format';
import { cellText } from './cells';
import css from './Tables.module.css';

const WIDTH = 120;
const HEIGHT = 28;
const GAP = 1;

interface Props {
  name: string;
  from: Json;
  to: Json;
  counts: readonly number[];
}

/** Counts in equal steps from least to greatest; one path, for there may be hundreds on a page. */
export function Histogram({ name, from, to, counts }: Props) {
  const most = Math.max(...counts);
  const words = `${name}: from ${cellText(from)} to ${cellText(to)}, at most ${formatCount(most)} rows in one of ${counts.length} steps`;
  return (
    <svg className={css.histogram} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={words}>
      <title>{words}</title>
      <path d={barsOf(counts, most)} />
    </svg>
  );
}

function barsOf(counts: readonly number[], most: number): string {
  const step = WIDTH / counts.length;
  const bar = (count: number, at: number) => {
    // What is there at all can be seen.
    const height = Math.max(1, (count / most) * HEIGHT);
    return `M${at * step} ${HEIGHT}v${-height}h${step - GAP}v${height}z`;
  };
  return counts.map((count, at) => (count === 0 ? '' : bar(count, at))).join('');
}
