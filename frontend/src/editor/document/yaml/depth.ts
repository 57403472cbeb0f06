/*
 * How deep a text may be, said before anything recursive reads it: a stack that runs full may end the whole page, not
 * only the reading. Quotes and comments are not looked at, so the limit is far above what a document may have.
 */

/** Levels. Documents may have 64; no honest text comes near this. */
const FAR_TOO_DEEP = 200;

const OPENING = new Set(['[', '{']);
const CLOSING = new Set([']', '}']);

/** The place of the first level beyond all measure; null when there is none. */
export function farTooDeep(text: string): number | null {
  let brackets = 0;
  let dashes = 0;
  let indents: number[] = [];
  let lineAt = 0;
  let begun = false; // whether something stands in the line already
  for (let at = 0; at < text.length; at += 1) {
    const sign = text.charAt(at);
    if (sign === '\n') {
      lineAt = at + 1;
      begun = false;
      dashes = 0;
      continue;
    }
    if (sign === ' ' || sign === '\t' || sign === '\r') continue;
    if (!begun) {
      begun = true;
      indents = [...indents.slice(0, indents.findLastIndex((indent) => indent < at - lineAt) + 1), at - lineAt];
    }
    // `- - - x` and `? ? ? x` hold a level each.
    dashes = isMark(text, at) ? dashes + 1 : 0;
    if (OPENING.has(sign)) brackets += 1;
    else if (CLOSING.has(sign)) brackets = Math.max(brackets - 1, 0);
    if (Math.max(brackets, dashes, indents.length) > FAR_TOO_DEEP) return at;
  }
  return null;
}

function isMark(text: string, at: number): boolean {
  const sign = text.charAt(at);
  return (sign === '-' || sign === '?') && ' \t\n'.includes(text.charAt(at + 1));
}
