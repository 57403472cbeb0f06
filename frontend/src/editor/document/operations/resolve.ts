import { Refused, type Json, type JsonMap } from '../../types';
import { mapNames } from '../conditions';
import { onlyReference, referencesIn, type Reference } from '../references';
import type { Change } from '../splice/change';
import type { Path } from '../yaml/node';

/* Values in the place of references: what a task takes says another thing where it stands in another scope. */

/** What a reference stands for: another value, perhaps again one with references. Undefined leaves it as it is. */
export type Meaning = (reference: Pick<Reference, 'root' | 'name' | 'output'>) => Json | undefined;

const APART: ReadonlySet<string> = new Set(['kind', 'title', 'description', 'run', 'source', 'instructions', 'when', 'needs', 'outputs']);

/** The changes of a task with these keys, but for its condition, its order links and what is its own. */
export function resolved(raw: JsonMap, meaning: Meaning, name: string): Change[] {
  return Object.entries(raw).flatMap(([key, value]) => (APART.has(key) ? [] : resolvedIn(value, [key], meaning, name)));
}

/** The same in one value. */
export function resolvedIn(value: Json | undefined, path: Path, meaning: Meaning, name: string): Change[] {
  if (typeof value === 'string') return resolvedText(value, path, meaning, name);
  if (value === undefined || value === null || typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([key, inner]) => resolvedIn(inner, [...path, Array.isArray(value) ? Number(key) : key], meaning, name));
}

/** A reference alone becomes the value itself, one in a longer text what is written for it. */
function resolvedText(text: string, path: Path, meaning: Meaning, name: string): Change[] {
  const only = onlyReference(text);
  const whole = only ? meaning(only) : undefined;
  if (whole !== undefined) return [{ path, set: whole }];
  const known = referencesIn(text).filter((reference) => meaning(reference) !== undefined);
  if (only || known.length === 0) return [];
  const set = known.toReversed().reduce((changed, reference) => {
    const value = meaning(reference);
    if (typeof value === 'object') throw new Refused(`'${name}' uses '${reference.name}' in a text, and it is no text: change that first.`);
    return changed.slice(0, reference.start) + String(value) + changed.slice(reference.end);
  }, text);
  return [{ path, set }];
}

export function resolvedCondition(raw: JsonMap, meaning: Meaning, name: string): Change[] {
  if (typeof raw.when !== 'string') return [];
  const set = condition(raw.when, meaning, name);
  return set === raw.when ? [] : [{ path: ['when'], set }];
}

/** A condition in the words of another scope. Refused where a name stands for what cannot be said in one. */
export function condition(when: string, meaning: Meaning, name: string): string {
  return mapNames(when, ([root, first = '', , output = '']) => {
    const value = meaning({ root: root === 'tasks' || root === 'inputs' ? root : 'params', name: first, output });
    if (value === undefined) return null;
    const reference = onlyReference(value);
    if (reference && reference.root !== 'secrets' && typeof value === 'string') return value.slice(3, -2).trim();
    if (reference || typeof value === 'object' || (typeof value === 'string' && value.includes('${{'))) {
      throw new Refused(`The condition of '${name}' uses '${first}', which cannot be written in a condition: change it first.`);
    }
    return JSON.stringify(value);
  });
}
