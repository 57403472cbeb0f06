import type { Json, JsonMap } from '../../types';
import { mapNames } from '../conditions';
import { readNeed } from '../links';
import { mapReferences, type Reference } from '../references';
import type { Change } from '../splice/change';
import type { Path } from '../yaml/node';

/* Following names: wherever a task says one thing, it says another. */

/** Gives the new inside of a reference, also for a name of a condition, or null to leave it. */
export type Renaming = (reference: Pick<Reference, 'root' | 'name' | 'output'>) => string | null;

/** Texts for people and for programs, in which nothing is replaced. */
const LITERAL: ReadonlySet<string> = new Set(['kind', 'title', 'description', 'run', 'source', 'instructions']);
/** What a task takes from the scope around it is under every other key; its `outputs` are about its inside. */
const APART: ReadonlySet<string> = new Set(['when', 'needs', 'outputs']);

/** The changes, below a task with these keys, of all that it takes from its scope. */
export function followed(raw: JsonMap, rename: Renaming): Change[] {
  const values = Object.entries(raw).filter(([key]) => !LITERAL.has(key) && !APART.has(key));
  return [...values.flatMap(([key, value]) => followedIn(value, [key], rename)), ...followedCondition(raw.when, rename)];
}

/** The same in one value. */
export function followedIn(value: Json | undefined, path: Path, rename: Renaming): Change[] {
  const rewrite = (text: string) => mapReferences(text, rename);
  if (typeof value === 'string') return rewrite(value) === value ? [] : [{ path, rewrite }];
  if (value === undefined || value === null || typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([name, inner]) =>
    followedIn(inner, [...path, Array.isArray(value) ? Number(name) : name], rename),
  );
}

function followedCondition(when: Json | undefined, rename: Renaming): Change[] {
  if (typeof when !== 'string') return [];
  const rewrite = (text: string) => mapNames(text, (parts) => rename(named(parts)));
  return rewrite(when) === when ? [] : [{ path: ['when'], rewrite }];
}

function named([root, name = '', , output = '']: readonly string[]): Pick<Reference, 'root' | 'name' | 'output'> {
  return { root: root === 'tasks' || root === 'inputs' ? root : 'params', name, output };
}

/** The changes that give tasks other names in `needs`. */
export function followedNeeds(needs: Json | undefined, rename: (name: string) => string | null): Change[] {
  if (!Array.isArray(needs)) return [];
  return needs.flatMap((item, number): Change[] => {
    const name = rename(readNeed(item)?.task ?? '');
    if (name === null) return [];
    const path = typeof item === 'string' ? ['needs', number] : ['needs', number, 'task'];
    return [{ path, set: name }];
  });
}
