/** How every state looks and reads: the row of the token table, the word, and whether its glyph is hollow. */

export type Look = 'queued' | 'running' | 'succeeded' | 'failed' | 'retrying' | 'skipped' | 'cancelled' | 'approval';

export interface StateLook {
  look: Look;
  word: string;
  hollow: boolean;
}

const filled = (look: Look, word: string): StateLook => ({ look, word, hollow: false });
const hollow = (look: Look, word: string): StateLook => ({ look, word, hollow: true });

export const LOOKS = {
  pending: filled('queued', 'Queued'),
  ready: filled('queued', 'Queued'),
  queued: filled('queued', 'Queued'),
  waiting: filled('queued', 'Waiting'),
  running: filled('running', 'Running'),
  succeeded: filled('succeeded', 'Succeeded'),
  failed: filled('failed', 'Failed'),
  upstream_failed: hollow('failed', 'Not run'),
  retry_wait: filled('retrying', 'Retrying'),
  skipped: filled('skipped', 'Skipped'),
  cancelled: filled('cancelled', 'Cancelled'),
  cancelling: filled('cancelled', 'Cancelled'),
  awaiting_approval: filled('approval', 'Needs approval'),
  lost: hollow('failed', 'Lost'),
} as const satisfies Record<string, StateLook>;

/** A state this page does not know is shown by its own word, calmly. */
export function lookOf(state: string): StateLook {
  return (LOOKS as Record<string, StateLook>)[state] ?? filled('queued', state.replaceAll('_', ' '));
}

const ENDED = new Set(['succeeded', 'failed', 'upstream_failed', 'skipped', 'cancelled', 'lost']);

export function hasEnded(state: string): boolean {
  return ENDED.has(state);
}
