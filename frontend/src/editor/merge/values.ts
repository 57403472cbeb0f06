import type { Json, JsonMap } from '../types';

/* Three documents as plain values, merged key by key. Undefined: there is no such key. Pure. */

export type Value = Json | undefined;
/** Keys from the outermost inwards: `tasks`, `train`, `with`, `eta`. */
export type Path = readonly string[];

export interface Change {
  path: Path;
  from: Value;
  to: Value;
}

/** One place that both changed, each to something else. */
export interface Clash {
  path: Path;
  base: Value;
  mine: Value;
  theirs: Value;
}

export interface MergedValue {
  value: Value;
  clashes: readonly Clash[];
}

export type Side = 'mine' | 'theirs';
export type Choose = (clash: Clash) => Side;

export function isMap(value: Value): value is JsonMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function equal(one: Value, other: Value): boolean {
  if (one === other) return true;
  if (Array.isArray(one) && Array.isArray(other)) {
    return one.length === other.length && one.every((each, at) => equal(each, other[at]));
  }
  if (!isMap(one) || !isMap(other)) return false;
  const keys = Object.keys(one);
  return keys.length === Object.keys(other).length && keys.every((key) => key in other && equal(one[key], other[key]));
}

/** What both changed since `base`, joined. At a clash stands what is chosen, mine unless told otherwise. */
export function mergeValues(base: Value, mine: Value, theirs: Value, choose: Choose = () => 'mine', path: Path = []): MergedValue {
  if (equal(mine, theirs) || equal(theirs, base)) return { value: mine, clashes: [] };
  if (equal(mine, base)) return { value: theirs, clashes: [] };
  if (isMap(mine) && isMap(theirs) && (isMap(base) || base === undefined)) return mergeMaps(base ?? {}, mine, theirs, choose, path);
  if (path.at(-1) === 'needs' && Array.isArray(mine) && Array.isArray(theirs)) {
    return { value: mergeLists(Array.isArray(base) ? base : [], mine, theirs), clashes: [] };
  }
  const clash = { path, base, mine, theirs };
  return { value: choose(clash) === 'mine' ? mine : theirs, clashes: [clash] };
}

function mergeMaps(base: JsonMap, mine: JsonMap, theirs: JsonMap, choose: Choose, path: Path): MergedValue {
  const value: JsonMap = {};
  const clashes: Clash[] = [];
  for (const key of new Set([...Object.keys(mine), ...Object.keys(theirs)])) {
    const merged = mergeValues(base[key], mine[key], theirs[key], choose, [...path, key]);
    clashes.push(...merged.clashes);
    if (merged.value !== undefined) value[key] = merged.value;
  }
  return { value, clashes };
}

/** Entries that no order matters for: what either added is there, what either took away is not. */
function mergeLists(base: readonly Json[], mine: readonly Json[], theirs: readonly Json[]): Json[] {
  const holds = (list: readonly Json[], entry: Json) => list.some((each) => equal(each, entry));
  const kept = mine.filter((entry) => holds(theirs, entry) || !holds(base, entry));
  return [...kept, ...theirs.filter((entry) => !holds(base, entry) && !holds(mine, entry))];
}

/** A value that is a text: at a clash of whole texts both are. */
export function textOf(value: Value): string {
  return typeof value === 'string' ? value : '';
}

/** What must be set to get from one value to another, as deep as possible. A map is never taken apart to nothing. */
export function changesOf(from: Value, to: Value, path: Path = []): Change[] {
  if (equal(from, to)) return [];
  if (!isMap(from) || !isMap(to)) return [{ path, from, to }];
  return [...new Set([...Object.keys(from), ...Object.keys(to)])].flatMap((key) => changesOf(from[key], to[key], [...path, key]));
}
