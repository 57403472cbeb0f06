import { formatDuration, formatTicking } from './format';
import { useNow } from './useNow';

/** From start to end, or ticking to now while there is no end. */
export function Elapsed({ from, to }: { from: string | null; to: string | null }) {
  const ticking = from !== null && to === null;
  const now = useNow(ticking ? 1000 : 0);
  if (from === null) return <span>–</span>;
  const start = Date.parse(from);
  return <span className="tabular">{to === null ? formatTicking(now - start) : formatDuration(Date.parse(to) - start)}</span>;
}
