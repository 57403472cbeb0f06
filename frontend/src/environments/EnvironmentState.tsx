import type { Environment } from '../api/types';
import badge from '../ui/StateBadge.module.css';
import { StateGlyph } from '../ui/StateGlyph';
import { lookOf } from '../ui/states';

/** How each state reads, and the state of a task that looks the same. */
const WORDS: Record<Environment['state'], { word: string; like: string }> = {
  missing: { word: 'Not built', like: 'skipped' },
  building: { word: 'Building', like: 'running' },
  ready: { word: 'Ready', like: 'succeeded' },
  failed: { word: 'Failed', like: 'failed' },
};

/** Glyph, word and colour of an environment's state; one that waits for its turn says so. */
export function EnvironmentState({ state, progress = '' }: { state: Environment['state']; progress?: string }) {
  const { word, like } = state === 'missing' && progress !== '' ? { word: 'Waiting', like: 'waiting' } : WORDS[state];
  return (
    <span className={`${badge.badge} ${badge.plain}`} data-look={lookOf(like).look} data-state={state}>
      <StateGlyph state={like} />
      <span>{word}</span>
    </span>
  );
}
