import type { Json } from '../../types';
import { lineBreak, lineEnd, lineStart, nextLine } from '../yaml/lines';
import { entriesOf, type Located, type MapNode } from '../yaml/node';
import { isTallName, mannerBelow, renderBlock, renderEntry, renderFlow, renderKey } from '../yaml/render';
import { withCuts, type Cut } from './cut';
import { endOfEntry, isBlankLine, isCompact, leadOf, placesOf, unitOf, Unsuited } from './geometry';
import { before } from './order';

/* New keys of mappings and new items of lists. */

/** A text with a new key in a mapping, which may be one that has no entry or no value yet. */
export function insertEntry(text: string, map: Located, name: string, value: Json): string {
  const { node } = map;
  if (node.type === 'map' && node.entries.size > 0) {
    return node.flow ? insertFlow(text, map, name, value) : insertBlock(text, map, name, value);
  }
  if (node.type === 'list' || (node.type === 'scalar' && node.value !== null)) throw new Unsuited(`${name} has no place here.`);
  return fill(text, map, { [name]: value });
}

/** The lines of new keys, as they are, below the last key of a mapping on lines of its own, or as its first ones. */
export function insertLines(text: string, map: Located, linesAt: (column: number) => string[]): string {
  const { node } = map;
  if (node.type === 'map' && node.entries.size > 0) {
    if (node.flow) throw new Unsuited('The mapping stands within brackets.');
    const entries = entriesOf(map);
    const last = entries.at(-1);
    return placeLines(text, linesAt(columnOf(text, entries)), endOf(text, last), last !== undefined && isAiry(text, entries, last));
  }
  if (!map.entry) return appendLines(text, linesAt(0));
  const places = placesOf(text, map);
  return fillLines(text, map, linesAt(places.column + unitOf(text)));
}

/** A text with an empty mapping filled: on lines below its key, or within its brackets where lines cannot stand. */
function fill(text: string, map: Located, value: Record<string, Json>): string {
  if (!map.entry) return appendLines(text, renderBlock(value, 0, { unit: unitOf(text) }));
  if (isInBrackets(text, map)) return withCuts(text, [valueCut(text, map, renderFlow(value))]);
  const unit = unitOf(text);
  return fillLines(text, map, renderBlock(value, placesOf(text, map).column + unit, { unit, flow: mannerBelow(map.entry.name) }));
}

function fillLines(text: string, map: Located, lines: string[]): string {
  const { colonEnd, valueStart, valueEnd } = placesOf(text, map);
  const below = nextLine(text, Math.max(colonEnd, valueEnd));
  const emptied = valueEnd > colonEnd ? [{ start: spaceBefore(text, valueStart), end: valueEnd, text: '' }] : [];
  return withCuts(text, [...emptied, linesCut(text, lines, below)]);
}

/** Does the key of an empty mapping stand within brackets, or somewhere else where no lines can follow? */
function isInBrackets(text: string, map: Located): boolean {
  const places = placesOf(text, map);
  const behind = text.slice(Math.max(places.valueEnd, places.colonEnd), lineEnd(text, places.valueEnd));
  return !places.hasColon || (isCompact(text, places) && !/^\s*-\s+$/.test(text.slice(places.keyStart - places.column, places.keyStart))) || !/^\s*(?:#.*)?$/.test(behind);
}

/** Replaces a value that stands behind its key, or is not written. */
export function valueCut(text: string, located: Located, inline: string): Cut {
  const { colonEnd, hasColon, valueStart, valueEnd } = placesOf(text, located);
  if (!hasColon) return { start: colonEnd, end: colonEnd, text: `: ${inline}` };
  if (valueEnd <= colonEnd) return { start: colonEnd, end: colonEnd, text: ` ${inline}` };
  return { start: inline === '' ? spaceBefore(text, valueStart) : valueStart, end: valueEnd, text: inline };
}

function spaceBefore(text: string, place: number): number {
  let start = place;
  while (text[start - 1] === ' ') start -= 1;
  return start;
}

/** Whole lines at the beginning of a line, or at the end of a text. */
export function linesCut(text: string, lines: readonly string[], place: number): Cut {
  const end = lineBreak(text);
  const atEnd = place === text.length && place > 0 && text[place - 1] !== '\n';
  const written = lines.join(end);
  return { start: place, end: place, text: atEnd ? end + written : lines.length > 0 ? written + end : '' };
}

function placeLines(text: string, lines: string[], place: number, airy: boolean): string {
  return withCuts(text, [linesCut(text, airy ? ['', ...lines] : lines, place)]);
}

function appendLines(text: string, lines: string[]): string {
  return withCuts(text, [linesCut(text, lines, text.length)]);
}

function columnOf(text: string, [first]: Located[]): number {
  return first ? placesOf(text, first).column : 0;
}

function endOf(text: string, entry?: Located): number {
  return entry ? endOfEntry(text, placesOf(text, entry)) : text.length;
}

/** Does an empty line stand between the key that a new one follows and its neighbour? */
function isAiry(text: string, entries: readonly Located[], above: Located): boolean {
  const number = Math.max(entries.indexOf(above), 1);
  const lower = entries[number];
  if (!lower) return false;
  const lead = leadOf(text, placesOf(text, lower));
  return lead > 0 && isBlankLine(text, lineStart(text, lead - 1));
}

function insertBlock(text: string, map: Located, name: string, value: Json): string {
  const entries = entriesOf(map);
  const column = columnOf(text, entries);
  const manner = { unit: unitOf(text), flow: mannerOf(entries) ?? mannerBelow(map.entry?.name) };
  const lines = renderEntry(name, value, column, manner);
  const above = predecessor(text, entries, name);
  const [first] = entries;
  if (above) return placeLines(text, lines, endOf(text, above), isAiry(text, entries, above));
  return placeLines(text, lines, first ? leadOf(text, placesOf(text, first)) : text.length, false);
}

/** The key below which a new one is written; null to make it the first. */
function predecessor(text: string, entries: readonly Located[], name: string): Located | null {
  const found = before(name, entries.map(({ entry }) => entry?.name ?? '')) ?? -1;
  const [first] = entries;
  if (found < 0 && first && isCompact(text, placesOf(text, first))) return entries.at(-1) ?? null;
  return entries[found] ?? null;
}

/** Within brackets or on lines, when all mappings beside are written so. */
function mannerOf(entries: readonly Located[]): boolean | null {
  const compared = entries.filter(({ entry }) => !isTallName(entry?.name ?? ''));
  const maps = compared.map(({ node }) => node).filter((node): node is MapNode => node.type === 'map' && node.entries.size > 0);
  if (maps.length === 0) return null;
  if (maps.every(({ flow }) => flow)) return true;
  return maps.every(({ flow }) => !flow) ? false : null;
}

// --- within brackets --------------------------------------------------------------------------------------

function insertFlow(text: string, map: Located, name: string, value: Json): string {
  const entries = entriesOf(map);
  const spans = entries.map((entry) => {
    const { keyStart, colonEnd, valueEnd } = placesOf(text, entry);
    return { start: keyStart, end: Math.max(colonEnd, valueEnd) };
  });
  const number = before(name, entries.map(({ entry }) => entry?.name ?? ''));
  return insertBetween(text, spans, (number ?? -1) + 1, `${renderKey(name)}: ${renderFlow(value)}`);
}

export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A new part within brackets, before the part `number`; behind the last one it keeps a line of its own if that has. */
export function insertBetween(text: string, spans: readonly Span[], number: number, written: string): string {
  const next = spans[number];
  const last = spans.at(-1);
  const own = spans.length > 0 && spans.every(({ start }) => isFirstOnLine(text, start));
  if (next) {
    const gap = own ? lineBreak(text) + indentOf(text, next.start) : ' ';
    return withCuts(text, [{ start: next.start, end: next.start, text: `${written},${gap}` }]);
  }
  if (!last) throw new Unsuited('The brackets are empty.');
  if (!own) return withCuts(text, [{ start: last.end, end: last.end, text: `, ${written}` }]);
  const comma = /^\s*,/.exec(text.slice(last.end))?.[0].length ?? 0;
  const line = lineEnd(text, last.end + comma);
  const behind = text.slice(last.end + comma, line);
  // A bracket that closes on the same line stays behind the new part, a comment where it was.
  const place = /^\s*(?:#.*)?$/.test(behind) ? line : last.end + comma;
  const cuts = comma > 0 ? [] : [{ start: last.end, end: last.end, text: ',' }];
  const tail = comma > 0 ? ',' : '';
  return withCuts(text, [...cuts, { start: place, end: place, text: lineBreak(text) + indentOf(text, last.start) + written + tail }]);
}

export function isFirstOnLine(text: string, place: number): boolean {
  return text.slice(text.lastIndexOf('\n', place - 1) + 1, place).trim() === '';
}

function indentOf(text: string, place: number): string {
  return text.slice(text.lastIndexOf('\n', place - 1) + 1, place);
}
