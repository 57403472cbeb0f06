import type { Json, JsonMap } from '../../types';
import { readNeed } from '../links';
import { onlyReference } from '../references';
import type { Change } from '../splice/change';
import { withoutValue } from '../values';
import type { Path } from '../yaml/node';
import { pruned } from './fields';

/* Letting go of tasks: values that are their outputs and nothing else, and their names in `needs`. */

/** The changes that take values away from a task, with what they leave empty. */
export function removals(raw: JsonMap, paths: readonly Path[]): Change[] {
  let values: Json = raw;
  // Items of a list from the last to the first, as their numbers change.
  return [...paths].sort(fromBehind).map((path) => {
    const gone = pruned(values, path);
    values = withoutValue(values, gone);
    return { path: gone, remove: true };
  });
}

function fromBehind(one: Path, other: Path): number {
  return other.join('.').localeCompare(one.join('.'), 'en', { numeric: true });
}

/** Where a task with these keys does nothing but name one of these tasks of its scope. */
export function mentions(raw: JsonMap, names: ReadonlySet<string>): Path[] {
  const values = ['with', 'over'].flatMap((key) => (key in raw ? referring(raw[key] ?? null, [key], names) : []));
  return [...values, ...needing(raw.needs, names)];
}

/** Where a value holds exactly an output of one of these tasks. */
export function referring(value: Json, path: Path, names: ReadonlySet<string>): Path[] {
  const reference = onlyReference(value);
  if (reference?.root === 'tasks' && names.has(reference.name)) return [path];
  if (value === null || typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([name, inner]) => referring(inner, [...path, Array.isArray(value) ? Number(name) : name], names));
}

function needing(needs: Json | undefined, names: ReadonlySet<string>): Path[] {
  if (!Array.isArray(needs)) return [];
  return needs.flatMap((item, number) => (names.has(readNeed(item)?.task ?? '') ? [['needs', number]] : []));
}
