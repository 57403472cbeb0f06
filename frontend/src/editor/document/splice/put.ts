import type { Json, JsonMap } from '../../types';
import { indentAt, lineEnd, lineStart, nextLine } from '../yaml/lines';
import { jsonOf, locate, type Located, type Path } from '../yaml/node';
import { render, renderFlow, renderScalar, type Rendered } from '../yaml/render';
import { treeOf } from '../yaml/tree';
import { withCuts } from './cut';
import { isBlankLine, isCommentLine, placesOf, unitOf, Unsuited, type EntryPlaces } from './geometry';
import { insertEntry, linesCut, valueCut } from './insert';
import { insertItem, removeItem, replaceItem } from './items';
import { removeEntries } from './remove';
import { isMap, isSame } from '../values';

/* Setting and removing the value at a path: only what differs is written anew. */

const ROOT: Located = { node: { type: 'scalar', style: 'plain', start: 0, end: 0, value: null }, offset: 0, entry: null };

/** A text with another value at a path; mappings on the way that are not there are made. */
export function setAt(text: string, path: Path, value: Json): string {
  const root = treeOf(text).root ?? ROOT;
  const reached = reach(root, path);
  const rest = path.slice(reached.length);
  const [name, ...below] = rest;
  const found = locate(root, reached);
  if (!found) throw new Unsuited('There is no such place.');
  if (name === undefined) return changeTo(text, path, found, value);
  const nested = below.reduceRight<Json>((inner, key) => ({ [key]: inner }), value);
  if (found.node.type === 'list') return found.node.items.length > 0 ? insertItem(text, found, Infinity, nested) : setAt(text, reached, [nested]);
  return insertEntry(text, found, String(name), nested);
}

/** As much of a path as there is. */
function reach(root: Located, path: Path): Path {
  let length = path.length;
  while (length > 0 && locate(root, path.slice(0, length)) === null) length -= 1;
  return path.slice(0, length);
}

/** A text without the value at a path. What it leaves empty becomes `{}` or `[]`. */
export function removeAt(text: string, path: Path): string {
  const root = treeOf(text).root;
  const name = path.at(-1);
  const holder = root && locate(root, path.slice(0, -1));
  if (!root || !holder || name === undefined || !locate(root, path)) return text;
  if (holder.node.type === 'list') {
    return holder.node.items.length > 1 ? removeItem(text, holder, Number(name)) : emptied(text, path.slice(0, -1), holder, '[]');
  }
  if (holder.node.type === 'map' && holder.node.entries.size > 1) return removeEntries(text, holder, new Set([String(name)]));
  return emptied(text, path.slice(0, -1), holder, '{}');
}

function emptied(text: string, path: Path, holder: Located, written: string): string {
  if (path.length === 0) return withCuts(text, [{ start: holder.offset + holder.node.start, end: holder.offset + holder.node.end, text: '' }]);
  return replace(text, path, holder, { inline: written, body: [] });
}

/** Maps and lists are changed from inside, so that comments and what is equal stay. */
function changeTo(text: string, path: Path, found: Located, value: Json): string {
  const old = jsonOf(found.node);
  if (isSame(old, value)) return text;
  if (isMap(old) && isMap(value) && Object.keys(old).length > 0 && Object.keys(value).length > 0) return changeMap(text, path, old, value);
  if (Array.isArray(old) && Array.isArray(value) && old.length > 0 && value.length > 0) return changeList(text, path, old, value);
  return replaceBy(text, path, found, value);
}

function changeMap(text: string, path: Path, old: JsonMap, value: JsonMap): string {
  let changed = text;
  for (const [name, inner] of Object.entries(value)) changed = setAt(changed, [...path, name], inner);
  for (const name of Object.keys(old)) if (!(name in value)) changed = removeAt(changed, [...path, name]);
  return changed;
}

/** What both have at the beginning and at the end stays; between, items are changed, then added or removed. */
function changeList(text: string, path: Path, old: readonly Json[], value: readonly Json[]): string {
  let from = 0;
  while (from < Math.min(old.length, value.length) && isSame(old[from], value[from])) from += 1;
  let same = 0;
  while (same < Math.min(old.length, value.length) - from && isSame(old.at(-1 - same), value.at(-1 - same))) same += 1;
  const [oldEnd, newEnd] = [old.length - same, value.length - same];
  let changed = text;
  for (let number = from; number < Math.min(oldEnd, newEnd); number += 1) changed = setAt(changed, [...path, number], value[number] ?? null);
  for (let number = oldEnd; number < newEnd; number += 1) changed = insertItem(changed, listAt(changed, path), number, value[number] ?? null);
  for (let number = oldEnd - 1; number >= newEnd; number -= 1) changed = removeAt(changed, [...path, number]);
  return changed;
}

function listAt(text: string, path: Path): Located {
  const root = treeOf(text).root;
  const list = root && locate(root, path);
  if (!list) throw new Unsuited('The list was lost.');
  return list;
}

function replaceBy(text: string, path: Path, found: Located, value: Json): string {
  const { node } = found;
  const style = node.type === 'scalar' ? node.style : undefined;
  if (!found.entry || isWithinBrackets(text, path)) {
    const written = typeof value === 'string' ? renderScalar(value, true, style) : renderFlow(value);
    return replace(text, path, found, { inline: written, body: [] });
  }
  const places = placesOf(text, found);
  const blockColumn = style === 'literal' ? columnBelow(text, places) : undefined;
  const manner = { unit: unitOf(text), ...(style && { style }), ...(blockColumn !== undefined && { blockColumn }) };
  return replace(text, path, found, render(value, String(path.at(-1)), places.column, manner));
}

/** Does a bracket stand around the value? */
function isWithinBrackets(text: string, path: Path): boolean {
  const root = treeOf(text).root;
  return path.some((_, length) => {
    const around = root && locate(root, path.slice(0, length));
    return around !== null && around.node.type !== 'scalar' && around.node.flow;
  });
}

/** The column of the text of a block scalar. */
function columnBelow(text: string, { valueStart, valueEnd }: EntryPlaces): number {
  for (let start = nextLine(text, valueStart); start < valueEnd; start = nextLine(text, start)) {
    if (!isBlankLine(text, start)) return indentAt(text, start);
  }
  return 0;
}

function replace(text: string, path: Path, found: Located, rendered: Rendered): string {
  if (!found.entry) return replaceListed(text, path, rendered.inline);
  const { node } = found;
  const places = placesOf(text, found);
  if (node.type === 'scalar' && (node.style === 'literal' || node.style === 'folded')) return replaceBlockScalar(text, places, rendered);
  if (node.type !== 'scalar' && !node.flow) return replaceLines(text, places, rendered);
  if (rendered.body.length > 0 && lineStart(text, places.valueEnd) > places.colonEnd) throw new Unsuited('The value has lines of its own.');
  const below = nextLine(text, Math.max(places.colonEnd, places.valueEnd));
  return withCuts(text, [valueCut(text, found, rendered.inline), linesCut(text, rendered.body, below)]);
}

function replaceListed(text: string, path: Path, written: string): string {
  return replaceItem(text, listAt(text, path.slice(0, -1)), Number(path.at(-1)), written);
}

/** The `|` and the lines below it. */
function replaceBlockScalar(text: string, { valueStart, valueEnd, colonEnd }: EntryPlaces, { inline, body }: Rendered): string {
  const header = /^[|>][0-9+-]*/.exec(text.slice(valueStart))?.[0].length ?? 1;
  const start = inline === '' ? colonEnd : valueStart;
  const below = nextLine(text, valueStart);
  const end = Math.max(nextLine(text, valueEnd), below);
  return withCuts(text, [
    { start, end: valueStart + header, text: inline },
    { start: below, end, text: endingLike(text, end, linesCut(text, body, below).text) },
  ]);
}

/** Without a line break at its end where the text had none. */
function endingLike(text: string, end: number, written: string): string {
  return end === text.length && !text.endsWith('\n') ? written.replace(/\r?\n$/, '') : written;
}

/** A mapping or list on lines of its own, below its key. */
function replaceLines(text: string, { colonEnd, valueStart, valueEnd }: EntryPlaces, { inline, body }: Rendered): string {
  const start = lineStart(text, valueStart);
  if (start <= colonEnd) throw new Unsuited('The mapping begins on the line of its key.');
  const end = nextLine(text, valueEnd);
  const comments = commentsAmong(text, start, valueEnd);
  return withCuts(text, [
    { start: colonEnd, end: colonEnd, text: inline === '' ? '' : ` ${inline}` },
    { start, end, text: comments + endingLike(text, end, linesCut(text, body, start).text) },
  ]);
}

/** Comments on lines of their own among lines that are replaced stay. */
function commentsAmong(text: string, from: number, to: number): string {
  let comments = '';
  for (let start = from; start < to; start = nextLine(text, start)) {
    if (isCommentLine(text, start)) comments += `${text.slice(start, lineEnd(text, start))}${text.slice(lineEnd(text, start), nextLine(text, start))}`;
  }
  return comments;
}
