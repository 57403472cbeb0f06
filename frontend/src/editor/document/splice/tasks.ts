import { Refused, type Json, type JsonMap } from '../../types';
import { isMap, isSame, valueAt, withValue } from '../values';
import { indentAt, lineStart, nextLine } from '../yaml/lines';
import { entriesOf, jsonOf, locate, type Located, type Path } from '../yaml/node';
import { renderEntry } from '../yaml/render';
import { treeOf } from '../yaml/tree';
import { applyChanges } from './change';
import { commentsOf } from './comments';
import { withCuts } from './cut';
import { endOfEntry, isBlankLine, isCompact, leadOf, placesOf, unitOf, Unsuited } from './geometry';
import { insertLines, linesCut } from './insert';
import { removeEntries } from './remove';

/* Whole tasks of a text: taking some away, their lines, and putting lines in. */

/** The lines of a task with the comments above it, its name in the first column. */
export function linesOfTask(text: string, path: Path): string[] {
  const found = at(text, path);
  const around = at(text, path.slice(0, -1));
  if (!found || !around) throw new Unsuited('There is no such task.');
  const written = around.node.type === 'map' && !around.node.flow ? ownLines(text, found) : null;
  return written ?? renderEntry(String(path.at(-1)), jsonOf(found.node), 0, { unit: unitOf(text), flow: false });
}

/** Null when they cannot be moved as they are. */
function ownLines(text: string, task: Located): string[] | null {
  const places = placesOf(text, task);
  if (isCompact(text, places)) return null;
  return dedented(text, leadOf(text, places), endOfEntry(text, places), places.column);
}

function dedented(text: string, start: number, end: number, column: number): string[] | null {
  const lines = text.slice(start, end).replace(/\r?\n$/, '').split(/\r?\n/);
  const fits = lines.every((line) => line.trim() === '' || indentAt(line, 0) >= column);
  return fits ? lines.map((line) => line.slice(column)) : null;
}

/** The lines of some tasks of a scope, with the empty lines that stand between them. */
export function linesOfTasks(text: string, path: Path, names: readonly string[]): string[] {
  return names.flatMap((name, number) => {
    const task = number > 0 ? at(text, [...path, name]) : null;
    const lead = task ? leadOf(text, placesOf(text, task)) : 0;
    const isApart = lead > 0 && isBlankLine(text, lineStart(text, lead - 1));
    return [...(isApart ? [''] : []), ...linesOfTask(text, [...path, name])];
  });
}

/** The lines of all tasks of a scope, with every comment among them. */
export function linesOfScope(text: string, path: Path): string[] {
  const map = at(text, path);
  const entries = map ? entriesOf(map) : [];
  const [first, last] = [entries[0], entries.at(-1)];
  if (map?.node.type === 'map' && !map.node.flow && first && last) {
    const { column } = placesOf(text, first);
    const written = dedented(text, nextLine(text, placesOf(text, map).colonEnd), endOfEntry(text, placesOf(text, last)), column);
    if (written) return written;
  }
  return linesOfTasks(text, path, entries.map(({ entry }) => entry?.name ?? ''));
}

/** The comments of a scope that are not among its tasks, as lines of their own. */
export function linesAround(text: string, path: Path): string[] {
  const [scope, tasks] = [at(text, path), at(text, [...path, 'tasks'])];
  const isWritten = tasks?.node.type === 'map' && !tasks.node.flow && tasks.node.entries.size > 0;
  return scope && isWritten ? commentsOf(text, scope, tasks) : [];
}

/** Lines moved to the right; empty ones stay empty. */
export function indented(lines: readonly string[], column: number): string[] {
  const indent = ' '.repeat(column);
  return lines.map((line) => (line.trim() === '' ? '' : indent + line));
}

/** A text without some entries of a mapping. The last one leaves `{}` behind. */
export function withoutTasks(text: string, path: Path, names: ReadonlySet<string>): string {
  const map = at(text, path);
  const tasks = map ? jsonOf(map.node) : null;
  if (map?.node.type !== 'map' || !isMap(tasks)) return text;
  const staying = Object.fromEntries(Object.entries(tasks).filter(([name]) => !names.has(name)));
  const isEmpty = Object.keys(staying).length === 0;
  if (isEmpty && map.node.flow) return applyChanges(text, [{ path, set: {} }]);
  return checked(text, path, staying, () => {
    const left = removeEntries(text, map, names);
    return isEmpty ? applyChanges(left, [{ path, set: {} }]) : left;
  });
}

/** A text with new tasks below those of a scope; `lines` are theirs, with their names in the first column. */
export function withTasks(text: string, path: Path, lines: readonly string[]): string {
  const map = at(text, path);
  const wanted = { ...tasksAt(text, path), ...valuesOf(lines) };
  return checked(text, path, wanted, () => {
    if (map) return insertLines(text, map, (column) => indented(lines, column));
    const opened = applyChanges(text, [{ path, set: {} }]);
    return withTasks(opened, path, lines);
  });
}

/** A text in which some tasks of a scope have made room for others, where the first of them stood. */
export function withTasksInstead(text: string, path: Path, gone: ReadonlySet<string>, lines: readonly string[]): string {
  const map = at(text, path);
  const old = tasksAt(text, path);
  const wanted = { ...Object.fromEntries(Object.entries(old).filter(([name]) => !gone.has(name))), ...valuesOf(lines) };
  return checked(text, path, wanted, () => {
    if (map?.node.type !== 'map' || map.node.flow) throw new Unsuited('The tasks stand within brackets.');
    return replaceEntries(text, entriesOf(map), gone, lines);
  });
}

function replaceEntries(text: string, entries: readonly Located[], gone: ReadonlySet<string>, lines: readonly string[]): string {
  const leaving = entries.filter(({ entry }) => gone.has(entry?.name ?? ''));
  const cuts = leaving.map((task, number) => {
    const places = placesOf(text, task);
    if (isCompact(text, places)) throw new Unsuited('A task stands behind a dash.');
    const [start, end] = [leadOf(text, places), endOfEntry(text, places)];
    const written = number === 0 ? linesCut(text, indented(lines, places.column), lineStart(text, start)).text : '';
    return { start, end, text: end === text.length && !text.endsWith('\n') ? written.replace(/\r?\n$/, '') : written };
  });
  return withCuts(text, cuts);
}

function valuesOf(lines: readonly string[]): JsonMap {
  const root = treeOf(`${lines.join('\n')}\n`).root;
  const values = root ? jsonOf(root.node) : null;
  return isMap(values) ? values : {};
}

function tasksAt(text: string, path: Path): JsonMap {
  const map = at(text, path);
  const tasks = map ? jsonOf(map.node) : null;
  return isMap(tasks) ? tasks : {};
}

function at(text: string, path: Path): Located | null {
  const root = treeOf(text).root;
  return root && locate(root, path);
}

/** The text made by lines, or where these cannot be, by values; refused when neither says what is meant. */
function checked(text: string, path: Path, wanted: JsonMap, make: () => string): string {
  const made = attempt(make);
  if (made !== null && says(made, text, path, wanted)) return made;
  const set = applyChanges(text, [{ path, set: wanted }]);
  if (says(set, text, path, wanted)) return set;
  throw new Refused('These tasks are written in a way that cannot be changed here. Change them in the YAML.');
}

function attempt(make: () => string): string | null {
  try {
    return make();
  } catch (error) {
    if (error instanceof Unsuited) return null;
    throw error;
  }
}

function says(made: string, text: string, path: Path, wanted: JsonMap): boolean {
  const [before, now] = [treeOf(text), treeOf(made)];
  const old: Json = before.root ? jsonOf(before.root.node) : null;
  if (!now.root || now.problems.length > before.problems.length) return false;
  const values = jsonOf(now.root.node);
  return isSame(valueAt(values, path), wanted) && isSame(values, withValue(old, path, wanted));
}
