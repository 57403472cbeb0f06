import type { Json, JsonMap } from '../types';
import type { Path } from './yaml/node';

/* Plain values: comparing them, and what a change makes of them. */

export function isMap(value: Json | undefined): value is JsonMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Equal, whatever the order of keys. */
export function isSame(one: Json | undefined, other: Json | undefined): boolean {
  if (one === other) return true;
  if (Array.isArray(one) && Array.isArray(other)) {
    return one.length === other.length && one.every((item, number) => isSame(item, other[number]));
  }
  if (!isMap(one) || !isMap(other)) return false;
  const names = Object.keys(one);
  return names.length === Object.keys(other).length && names.every((name) => name in other && isSame(one[name], other[name]));
}

/** The value with another one at a path, as `setAt` of a text does it; null counts as an empty mapping. */
export function withValue(value: Json, path: Path, inner: Json): Json {
  const [name, ...rest] = path;
  if (name === undefined) return inner;
  if (Array.isArray(value)) {
    const number = Math.min(Number(name), value.length);
    return value.toSpliced(number, 1, withValue(value[number] ?? null, rest, inner));
  }
  const map = isMap(value) ? value : {};
  return { ...map, [name]: withValue(map[name] ?? null, rest, inner) };
}

/** The value without what stands at a path; the same when there is nothing. */
export function withoutValue(value: Json, path: Path): Json {
  const [name, ...rest] = path;
  if (name === undefined) return value;
  if (Array.isArray(value)) {
    const number = Number(name);
    if (!(number < value.length)) return value;
    return rest.length === 0 ? value.toSpliced(number, 1) : value.toSpliced(number, 1, withoutValue(value[number] ?? null, rest));
  }
  if (!isMap(value) || !(name in value)) return value;
  const { [name]: old = null, ...others } = value;
  return rest.length === 0 ? others : { ...value, [name]: withoutValue(old, rest) };
}

/** The entries but one. */
export function without<T>(entries: Readonly<Record<string, T>>, name: string): Record<string, T> {
  return Object.fromEntries(Object.entries(entries).filter(([other]) => other !== name));
}

/** The value at a path; undefined without one. */
export function valueAt(value: Json | undefined, path: Path): Json | undefined {
  return path.reduce<Json | undefined>((found, name) => {
    if (Array.isArray(found)) return found[Number(name)];
    return isMap(found) ? found[name] : undefined;
  }, value);
}

export interface Rename {
  readonly path: Path;
  readonly rename: string;
}

/** The value with the keys at some paths renamed, each in its place. */
export function withNames(value: Json, renames: readonly Rename[]): Json {
  if (!isMap(value) || renames.length === 0) return value;
  const here = new Map(renames.filter(({ path }) => path.length === 1).map(({ path, rename }) => [String(path[0]), rename]));
  const deeper = renames.filter(({ path }) => path.length > 1);
  const entries = Object.entries(value).map(([key, inner]) => {
    const below = deeper.filter(({ path }) => path[0] === key).map(({ path, rename }) => ({ path: path.slice(1), rename }));
    return [here.get(key) ?? key, withNames(inner, below)] as const;
  });
  return Object.fromEntries(entries);
}
