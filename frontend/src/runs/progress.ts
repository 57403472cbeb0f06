import type { TaskState } from '../api/types';
import { formatCount } from '../ui/format';
import { hasEnded, lookOf, type Look } from '../ui/states';

export interface Progress {
  succeeded: number;
  ended: number;
  total: number;
  /** Ended tasks by look, in a fixed order, for the bar. */
  parts: { look: Look; count: number }[];
  /** "1 running, 2 failed"; what is usual is left unsaid. */
  words: string;
  /** Tasks that wait for a person. */
  approvals: number;
}

const BAR: TaskState[] = ['succeeded', 'failed', 'upstream_failed', 'skipped', 'cancelled'];
const SAID: TaskState[] = ['running', 'failed', 'upstream_failed', 'retry_wait', 'skipped', 'cancelled'];

export function progressOf(counts: Partial<Record<TaskState, number>>): Progress {
  const entries = Object.entries(counts) as [TaskState, number][];
  const sum = (some: [TaskState, number][]) => some.reduce((total, [, count]) => total + count, 0);
  const looks = new Map<Look, number>();
  for (const state of BAR) {
    const count = counts[state] ?? 0;
    if (count > 0) looks.set(lookOf(state).look, (looks.get(lookOf(state).look) ?? 0) + count);
  }
  return {
    succeeded: counts.succeeded ?? 0,
    approvals: counts.awaiting_approval ?? 0,
    total: sum(entries),
    ended: sum(entries.filter(([state]) => hasEnded(state))),
    parts: [...looks].map(([look, count]) => ({ look, count })),
    words: SAID.filter((state) => (counts[state] ?? 0) > 0)
      .map((state) => `${formatCount(counts[state] ?? 0)} ${lookOf(state).word.toLowerCase()}`)
      .join(', '),
  };
}
