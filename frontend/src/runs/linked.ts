import type { BlockerLink } from '../api/types';

export interface LinkedPiece {
  text: string;
  link: BlockerLink | null;
}

/** What a name may be a part of: "a/b" is not "a". */
const WITHIN_A_NAME = /[\w/-]/;

/** A sentence in pieces, in which the names of links are links; those that it does not name are the rest. */
export function piecesWithLinks(words: string, links: readonly BlockerLink[]): { pieces: LinkedPiece[]; rest: BlockerLink[] } {
  const found: { at: number; link: BlockerLink }[] = [];
  const rest: BlockerLink[] = [];
  for (const link of links) {
    const at = placeOf(words, link.name);
    if (at === -1 || found.some((other) => at < other.at + other.link.name.length && other.at < at + link.name.length)) rest.push(link);
    else found.push({ at, link });
  }
  found.sort((one, other) => one.at - other.at);
  const pieces: LinkedPiece[] = [];
  let from = 0;
  for (const { at, link } of found) {
    if (at > from) pieces.push({ text: words.slice(from, at), link: null });
    from = at + link.name.length;
    pieces.push({ text: words.slice(at, from), link });
  }
  if (from < words.length) pieces.push({ text: words.slice(from), link: null });
  return { pieces, rest };
}

/** Where a name stands for itself in a sentence, -1 where it does not. */
function placeOf(words: string, name: string): number {
  for (let at = words.indexOf(name); name !== '' && at !== -1; at = words.indexOf(name, at + 1)) {
    const before = words.charAt(at - 1);
    const after = words.charAt(at + name.length);
    if (!WITHIN_A_NAME.test(before) && !WITHIN_A_NAME.test(after)) return at;
  }
  return -1;
}
