import { useSyncExternalStore } from 'react';

/* What a person added lately, on this browser, newest first. */

const MOST = 5;
const watchers = new Set<() => void>();

const keyOf = (person: string) => `editor-recent-${person}`;

export function noteRecent(person: string, id: string): void {
  const ids = [id, ...recentsIn(stored(person)).filter((other) => other !== id)].slice(0, MOST);
  localStorage.setItem(keyOf(person), JSON.stringify(ids));
  for (const watcher of watchers) watcher();
}

export function useRecents(person: string): readonly string[] {
  return recentsIn(useSyncExternalStore(watch, () => stored(person)));
}

function watch(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

function stored(person: string): string {
  return localStorage.getItem(keyOf(person)) ?? '[]';
}

/** What was stored by an older page, or by a person, may be anything. */
function recentsIn(text: string): string[] {
  try {
    const ids: unknown = JSON.parse(text);
    return Array.isArray(ids) ? ids.filter((id) => typeof id === 'string') : [];
  } catch {
    return [];
  }
}
