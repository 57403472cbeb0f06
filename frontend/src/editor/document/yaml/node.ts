import type { Json, JsonMap } from '../../types';

/*
 * The values of a YAML text with their places. A place counts from the beginning of the piece of text that was parsed;
 * `Entry.at` says where that piece lies in the one around it, so an unchanged piece is shared between texts.
 */

interface Placed {
  readonly start: number;
  /** Behind the last character of the value; of a block, of its last line without the line break. */
  readonly end: number;
}

export type Style = 'plain' | 'single' | 'double' | 'literal' | 'folded';

export interface ScalarNode extends Placed {
  readonly type: 'scalar';
  readonly style: Style;
  readonly value: null | boolean | number | string;
}

export interface ListNode extends Placed {
  readonly type: 'list';
  readonly flow: boolean;
  readonly items: readonly Node[];
}

export interface Entry {
  readonly name: string;
  readonly keyStart: number;
  readonly keyEnd: number;
  readonly value: Node;
  readonly at: number;
}

export interface MapNode extends Placed {
  readonly type: 'map';
  readonly flow: boolean;
  readonly entries: ReadonlyMap<string, Entry>;
}

export type Node = ScalarNode | ListNode | MapNode;

/** Names of keys and numbers of items, from the outside in. */
export type Path = readonly (string | number)[];

/** A value and how far its place lies from the beginning of the text. */
export interface Located {
  readonly node: Node;
  readonly offset: number;
  /** The entry of the mapping around, whose key is placed from `offset` too; null for the root and for items. */
  readonly entry: Entry | null;
}

/** The value at a path, or null. */
export function locate(root: Located, path: Path): Located | null {
  let found: Located | null = root;
  for (const name of path) {
    found = child(found, name);
    if (found === null) return null;
  }
  return found;
}

function child({ node, offset }: Located, name: string | number): Located | null {
  if (node.type === 'list') {
    const item = node.items[Number(name)];
    return item ? { node: item, offset, entry: null } : null;
  }
  const entry = node.type === 'map' ? node.entries.get(String(name)) : undefined;
  return entry ? { node: entry.value, offset: offset + entry.at, entry } : null;
}

/** The entries of a mapping with their offsets; none for another value. */
export function entriesOf({ node, offset }: Located): Located[] {
  if (node.type !== 'map') return [];
  return [...node.entries.values()].map((entry) => ({ node: entry.value, offset: offset + entry.at, entry }));
}

const plain = new WeakMap<Node, Json>();

/** The value as JSON; the same object for the same node. */
export function jsonOf(node: Node): Json {
  if (node.type === 'scalar') return node.value;
  const known = plain.get(node);
  if (known !== undefined) return known;
  const json = node.type === 'list' ? node.items.map(jsonOf) : mapOf(node);
  plain.set(node, json);
  return json;
}

function mapOf(node: MapNode): JsonMap {
  return Object.fromEntries([...node.entries].map(([name, entry]) => [name, jsonOf(entry.value)]));
}
