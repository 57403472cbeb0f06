import { Refused, type Json } from '../../types';
import { isSame, withNames, withoutValue, withValue, valueAt, type Rename } from '../values';
import { lineStart } from '../yaml/lines';
import { jsonOf, locate, type Path } from '../yaml/node';
import { renderKey } from '../yaml/render';
import { treeOf } from '../yaml/tree';
import { withCuts, type Cut } from './cut';
import { endOfEntry, isCompact, placesOf, Unsuited } from './geometry';
import { removeAt, setAt } from './put';

/*
 * Changes of a text by paths. Each is made in the smallest piece of the text that holds it, one task mostly, and read
 * back: a text that does not say what was meant is never given out.
 */

export type Change =
  | { readonly path: Path; readonly set: Json }
  | { readonly path: Path; readonly remove: true }
  | Rename
  | { readonly path: Path; readonly rewrite: (text: string) => string };

/** A text with changes made, each after those before it. Refused when one cannot be made in this text. */
export function applyChanges(text: string, changes: readonly Change[]): string {
  const pieces = new Map<string, { path: Path; changes: Change[] }>();
  for (const change of changes) {
    const path = pieceOf(change.path);
    const id = path.join('/');
    const piece = pieces.get(id) ?? { path, changes: [] };
    piece.changes.push(change);
    pieces.set(id, piece);
  }
  // The pieces of one depth do not overlap; inner ones are changed before those around them.
  const depths = [...new Set([...pieces.values()].map(({ path }) => path.length))].sort((one, other) => other - one);
  return depths.reduce((changed, depth) => {
    const group = [...pieces.values()].filter(({ path }) => path.length === depth);
    return depth === 0 ? inWhole(changed, group) : inPieces(changed, group);
  }, text);
}

/** The path of the task around a place; the empty path outside of tasks. A task itself belongs to what is around it. */
function pieceOf(path: Path): Path {
  let length = 0;
  while (path[length] === 'tasks' && length + 2 < path.length) length += 2;
  return path.slice(0, length);
}

interface Piece {
  readonly path: Path;
  readonly changes: readonly Change[];
}

function inWhole(text: string, pieces: readonly Piece[]): string {
  return applyAll(text, pieces.flatMap(({ changes }) => changes));
}

function inPieces(text: string, pieces: readonly Piece[]): string {
  const root = treeOf(text).root;
  const cuts: Cut[] = [];
  for (const { path, changes } of pieces) {
    const span = root && spanOf(text, path);
    if (!span) return inWhole(text, pieces);
    const inner = changes.map((change) => ({ ...change, path: change.path.slice(path.length - 1) }));
    cuts.push({ ...span, text: applyAll(text.slice(span.start, span.end), inner) });
  }
  return withCuts(text, cuts);
}

/** The lines of a task; null when they are not its own. */
function spanOf(text: string, path: Path): { start: number; end: number } | null {
  const root = treeOf(text).root;
  const task = root && locate(root, path);
  const around = root && locate(root, path.slice(0, -1));
  if (!task?.entry || around?.node.type !== 'map' || around.node.flow) return null;
  const places = placesOf(text, task);
  if (isCompact(text, places)) return null;
  return { start: lineStart(text, places.keyStart), end: endOfEntry(text, places) };
}

function applyAll(text: string, changes: readonly Change[]): string {
  const renames = changes.filter((change) => 'rename' in change);
  // The text is read once for many other names, as a copy of hundreds of tasks has them.
  return renames.length > 1 && renames.length === changes.length ? renamed(text, renames) : changes.reduce(applyChange, text);
}

/** Keys get other names, all at once. */
function renamed(text: string, renames: readonly Rename[]): string {
  const [first] = renames;
  const changed = withCuts(text, renames.flatMap((change) => nameCut(text, change)));
  if (first && !isSame(valueOf(changed), withNames(valueOf(text), renames))) refuse(first.path);
  return changed;
}

function applyChange(text: string, change: Change): string {
  const before = valueOf(text);
  const wanted = expected(before, change);
  const changed = attempt(text, change);
  if (!isSame(valueOf(changed), wanted) || (isReadable(text) && !isReadable(changed))) refuse(change.path);
  return changed;
}

function valueOf(text: string): Json {
  const { root } = treeOf(text);
  return root ? jsonOf(root.node) : null;
}

function isReadable(text: string): boolean {
  return treeOf(text).problems.length === 0;
}

function expected(value: Json, change: Change): Json {
  if ('set' in change) return withValue(value, change.path, change.set);
  if ('remove' in change) return withoutValue(value, change.path);
  if ('rename' in change) return withNames(value, [change]);
  const old = valueAt(value, change.path);
  return typeof old === 'string' ? withValue(value, change.path, change.rewrite(old)) : value;
}

function attempt(text: string, change: Change): string {
  try {
    if ('set' in change) return setAt(text, change.path, change.set);
    if ('remove' in change) return removeAt(text, change.path);
    if ('rename' in change) return withCuts(text, nameCut(text, change));
    return rewriteAt(text, change.path, change.rewrite);
  } catch (error) {
    if (error instanceof Unsuited) return refuse(change.path);
    throw error;
  }
}

function refuse(path: Path): never {
  throw new Refused(`'${path.join('.')}' is written in a way that cannot be changed here. Change it in the YAML.`);
}

function nameCut(text: string, { path, rename: name }: Rename): Cut[] {
  const root = treeOf(text).root;
  const found = root && locate(root, path);
  if (!found) return [];
  const { keyStart, keyEnd } = placesOf(text, found);
  const quote = text[keyStart];
  const written = quote === '"' || quote === "'" ? `${quote}${name}${quote}` : renderKey(name);
  return [{ start: keyStart, end: keyEnd, text: written }];
}

/** Changes a text as it is written, with its quotes and its lines; anew only where that would say something else. */
function rewriteAt(text: string, path: Path, rewrite: (text: string) => string): string {
  const root = treeOf(text).root;
  const found = root && locate(root, path);
  if (found?.node.type !== 'scalar' || typeof found.node.value !== 'string') return text;
  const [start, end] = [found.offset + found.node.start, found.offset + found.node.end];
  const wanted = rewrite(found.node.value);
  const spliced = withCuts(text, [{ start, end, text: rewrite(text.slice(start, end)) }]);
  const again = treeOf(spliced).root;
  const read = again && locate(again, path);
  return read && isSame(jsonOf(read.node), wanted) ? spliced : setAt(text, path, wanted);
}
