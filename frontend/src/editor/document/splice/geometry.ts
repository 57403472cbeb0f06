import { indentAt, lineEnd, lineStart, nextLine } from '../yaml/lines';
import type { Located } from '../yaml/node';

/* Where the parts of a key with its value begin and end in a text, with the comments that belong to it. */

/** A text that is valid but written in a way that cannot be edited here. */
export class Unsuited extends Error {}

export interface EntryPlaces {
  readonly keyStart: number;
  readonly keyEnd: number;
  /** Behind the colon; behind the key where there is none. */
  readonly colonEnd: number;
  readonly hasColon: boolean;
  /** The column of the key, from 0. */
  readonly column: number;
  readonly valueStart: number;
  readonly valueEnd: number;
}

export function placesOf(text: string, { node, offset, entry }: Located): EntryPlaces {
  if (!entry) throw new Unsuited('It is no key.');
  const keyStart = offset + entry.keyStart;
  const keyEnd = offset + entry.keyEnd;
  let colon = keyEnd;
  while (text[colon] === ' ') colon += 1;
  const hasColon = text[colon] === ':';
  return {
    keyStart,
    keyEnd,
    colonEnd: hasColon ? colon + 1 : keyEnd,
    hasColon,
    column: keyStart - lineStart(text, keyStart),
    valueStart: offset + node.start,
    valueEnd: offset + node.end,
  };
}

/** Does something else stand before the key on its line: a dash, a `?`? */
export function isCompact(text: string, { keyStart, column }: EntryPlaces): boolean {
  return text.slice(keyStart - column, keyStart).trim() !== '';
}

/** The beginning of the line behind a value and the comments that belong to it, being indented deeper than its key. */
export function endOfEntry(text: string, { colonEnd, valueEnd, column }: EntryPlaces): number {
  let end = nextLine(text, Math.max(colonEnd, valueEnd));
  for (let start = end; start < text.length; start = nextLine(text, start)) {
    if (isBlankLine(text, start)) continue;
    if (!isCommentLine(text, start) || indentAt(text, start) <= column) break;
    end = nextLine(text, start);
  }
  return end;
}

/** The beginning of the first comment that stands directly above a key and is indented like it; else its own line. */
export function leadOf(text: string, { keyStart, column }: EntryPlaces): number {
  let lead = keyStart - column;
  while (lead > 0) {
    const above = lineStart(text, lead - 1);
    if (!isCommentLine(text, above) || indentAt(text, above) !== column) break;
    lead = above;
  }
  return lead;
}

export function isBlankLine(text: string, start: number): boolean {
  return text.slice(start, lineEnd(text, start)).trim() === '';
}

export function isCommentLine(text: string, start: number): boolean {
  return text[start + indentAt(text, start)] === '#';
}

/** Spaces of one level in this text. */
export function unitOf(text: string): number {
  const match = /^( *)(?:- )?[^\s#][^\n]*:[ \t]*(?:#[^\n]*)?\r?\n(?:[ \t]*(?:#[^\n]*)?\r?\n)*( +)[^\s#]/m.exec(text);
  const unit = (match?.[2] ?? '').length - (match?.[1] ?? '').length;
  return unit > 0 && unit <= 8 ? unit : 2;
}
