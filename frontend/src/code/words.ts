import type { CodeState, CodeLocation } from '../api/code';

/** What a state is called, how it looks, and what one can do about it. */
export const STATES: Record<CodeState, { word: string; look: 'succeeded' | 'retrying' | 'failed' | 'queued'; hint: string }> = {
  never: { word: 'never synced', look: 'queued', hint: 'Its blocks can be used after the first sync.' },
  'in-step': { word: 'in step', look: 'succeeded', hint: '' },
  behind: { word: 'new commits available', look: 'retrying', hint: 'Sync to use them in drafts; published versions keep theirs until they are published again.' },
  diverged: {
    word: 'history rewritten',
    look: 'failed',
    hint: 'The commit that was synced is no longer part of the history. Nothing is synced by itself; press Sync when the new history is meant.',
  },
  dirty: { word: 'uncommitted changes', look: 'retrying', hint: 'The snapshot holds more, or other, than its commit. Commit, then sync, so that others can find these bytes.' },
  plain: { word: 'no history', look: 'queued', hint: '' },
};

export function shortCommit(sha: string): string {
  return sha.slice(0, 10);
}

/** A ref as people say it. */
export function shortRef(ref: string): string {
  return ref.replace(/^refs\/(heads|tags)\//, '');
}

export function fieldsOf(location: CodeLocation) {
  const { address, ref, folder, secret, known_hosts, lock_file, auto_sync } = location;
  return { address, ref, folder, secret, known_hosts, lock_file, auto_sync };
}

export function isOfShell(address: string): boolean {
  return address.startsWith('ssh://') || /^[^/:]+@[^/:]+:/.test(address);
}
