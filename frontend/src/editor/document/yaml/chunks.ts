import { isReadable, MAX_NODES, parseYaml, type Parsed } from './parse';
import { indentAt, nextLine } from './lines';
import type { Entry, MapNode, Node } from './node';
import { parseQuickly } from './quick';

/*
 * Reading a long text in pieces: one for each key at the left, one for each task of `tasks`, at every depth. A piece
 * that was seen before is not parsed again. Cutting gives up, and the whole text is parsed, whenever a line could mean
 * something else than "a new key begins here": what is read is always the same.
 */

/** The keys whose value is cut further. */
const CUT = 'tasks';
const KEY_ALONE = /^ *([A-Za-z0-9_][A-Za-z0-9_-]*):[ \t]*(?:#.*)?\r?$/;
const MOST_KEPT = 20_000;
const DEEPEST = 40;

let seen = new Map<string, Parsed>();
let before = new Map<string, Parsed>();

/** The document's mapping, or null when the text must be parsed as a whole. */
export function readInChunks(text: string): Node | null {
  if (!isReadable(text)) return null;
  const count = { nodes: 0 };
  const root = cut(text, 0, text.length, indentBelow(text, 0, text.length), 0, count);
  return root !== null && root.entries.size > 0 && count.nodes <= MAX_NODES ? root : null;
}

/** The mapping whose keys begin in `column`, between two places; its own places count from `from`. */
function cut(text: string, from: number, to: number, column: number, depth: number, count: { nodes: number }): MapNode | null {
  const starts = keyLines(text, from, to, column);
  if (starts === null || depth > DEEPEST) return null;
  const entries = new Map<string, Entry>();
  for (const [number, start] of starts.entries()) {
    const found = readEntry(text, start, starts[number + 1] ?? to, column, depth, count);
    if (found === null || entries.has(found.name)) return null;
    entries.set(found.name, { ...found, at: found.at + start - from });
  }
  const first = entries.values().next().value;
  const last = [...entries.values()].at(-1);
  if (!first || !last) return null;
  return { type: 'map', flow: false, start: first.at + first.keyStart, end: last.at + last.value.end, entries };
}

/** Where the lines with keys begin; null when that cannot be told from the indentation. */
function keyLines(text: string, from: number, to: number, column: number): number[] | null {
  const starts: number[] = [];
  for (let start = from; start < to; start = nextLine(text, start)) {
    const indent = indentAt(text, start);
    const first = text[start + indent];
    if (first === undefined || first === '\n' || first === '\r' || first === '#') continue;
    if (first === '\t') return null;
    if (indent < column) return null;
    if (indent > column) {
      if (starts.length === 0) return null;
      continue;
    }
    if (isMark(text, start)) return null;
    if (first === '?' || first === ':' || first === '%') return null;
    if (first !== '-' && first !== '}' && first !== ']') starts.push(start);
    else if (starts.length === 0) return null;
  }
  return starts;
}

/** Does the line end or begin a document? */
function isMark(text: string, start: number): boolean {
  return text.startsWith('---', start) || text.startsWith('...', start);
}

/** One key with its value, its places counted from `start`. */
function readEntry(text: string, start: number, to: number, column: number, depth: number, count: { nodes: number }): Entry | null {
  return readScope(text, start, to, column, depth, count) ?? readLeaf(text.slice(start, to), column, depth, count);
}

/** A key that stands alone on its line and is `tasks`, or holds such a key: the lines below are cut too. */
function readScope(text: string, start: number, to: number, column: number, depth: number, count: { nodes: number }): Entry | null {
  const name = KEY_ALONE.exec(text.slice(start, nextLine(text, start)).replace(/\n$/, ''))?.[1];
  if (name === undefined) return null;
  const body = nextLine(text, start);
  const inner = indentBelow(text, body, to);
  if (inner <= column || (name !== CUT && !holdsTasks(text, body, to, inner))) return null;
  const counted = count.nodes;
  const value = cut(text, body, to, inner, depth + 1, count);
  if (value === null) {
    count.nodes = counted;
    return null;
  }
  count.nodes += 2;
  const shift = body - start;
  return { name, keyStart: column, keyEnd: column + name.length, value: shifted(value, shift), at: 0 };
}

/** The indentation of the first line that holds something; -1 without one. */
function indentBelow(text: string, from: number, to: number): number {
  for (let start = from; start < to; start = nextLine(text, start)) {
    const indent = indentAt(text, start);
    const first = text[start + indent];
    if (first !== undefined && first !== '\n' && first !== '\r' && first !== '#') return indent;
  }
  return -1;
}

function holdsTasks(text: string, body: number, to: number, column: number): boolean {
  return text.slice(body - 1, to).includes(`\n${' '.repeat(column)}${CUT}:`);
}

function shifted(map: MapNode, by: number): MapNode {
  const entries = new Map([...map.entries].map(([name, entry]) => [name, { ...entry, at: entry.at + by }]));
  return { ...map, start: map.start + by, end: map.end + by, entries };
}

function readLeaf(text: string, column: number, depth: number, count: { nodes: number }): Entry | null {
  const { root, problems, nodes, depth: levels } = parsed(text);
  if (root?.type !== 'map' || root.flow || root.entries.size !== 1 || problems.length > 0 || depth + levels > DEEPEST) return null;
  const [entry] = root.entries.values();
  if (entry?.keyStart !== column) return null;
  count.nodes += nodes;
  return entry;
}

function parsed(text: string): Parsed {
  const known = seen.get(text) ?? before.get(text) ?? parseQuickly(text) ?? parseYaml(text);
  seen.set(text, known);
  if (seen.size > MOST_KEPT) {
    before = seen;
    seen = new Map();
  }
  return known;
}
