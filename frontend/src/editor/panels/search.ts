import type { PaletteEntry } from './entries';

/* Finding an entry by what a person types. Pure. */

/** A part of a text, from and to (not included), that is what was searched for. */
export type Mark = readonly [from: number, to: number];

export interface Found {
  readonly entry: PaletteEntry;
  readonly score: number;
  readonly inTitle: Mark | null;
  readonly inDescription: Mark | null;
}

/** How good a match is, by where it is: the whole title, its beginning, a word of it, inside of it, a tag, the description. */
const SCORES = { whole: 100, begins: 80, word: 60, inside: 40, tag: 25, description: 10 };

/** Entries that hold every word of the query, best first; all of them, as they come, for an empty one. */
export function search(entries: readonly PaletteEntry[], query: string): Found[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const found = entries.map((entry) => judge(entry, words)).filter((each) => each !== null);
  return words.length === 0 ? found : found.sort((one, other) => other.score - one.score);
}

function judge(entry: PaletteEntry, words: readonly string[]): Found | null {
  const title = entry.title.toLowerCase();
  const description = entry.description.toLowerCase();
  let score = 0;
  for (const word of words) {
    const points = pointsOf(word, title, entry.tags, description);
    if (points === 0) return null;
    score += points;
  }
  const [first = ''] = words;
  return { entry, score, inTitle: markOf(title, first), inDescription: markOf(description, first) };
}

function pointsOf(word: string, title: string, tags: readonly string[], description: string): number {
  if (title === word) return SCORES.whole;
  const at = title.indexOf(word);
  // A long title with the word is less likely the one that is meant.
  if (at === 0) return SCORES.begins - Math.min(title.length, 15) / 10;
  if (at > 0) return (/[a-z0-9]/.test(title[at - 1] ?? '') ? SCORES.inside : SCORES.word) - Math.min(title.length, 15) / 10;
  if (tags.some((tag) => tag.toLowerCase().includes(word))) return SCORES.tag;
  return description.includes(word) ? SCORES.description : 0;
}

function markOf(text: string, word: string): Mark | null {
  const at = word === '' ? -1 : text.indexOf(word);
  return at < 0 ? null : [at, at + word.length];
}
