import { FRAME } from '../../../graph/layout';
import { Refused, type Json, type JsonMap, type Layout, type LinkModel, type Model, type TaskModel } from '../../types';
import { onlyReference, referencesIn, type Reference } from '../references';
import type { Change } from '../splice/change';
import { isMap } from '../values';
import { followed, followedIn } from './follow';
import { needOf, needsOf, withoutTwice, type Need } from './needs';
import { removals } from './release';

/* What passes between a scope and what is around it: its inputs, its outputs, its order links. */

/** The inputs or outputs of a scope, and those that come to them: each carries one reference. */
export class Ports {
  private readonly names = new Map<string, string>();
  private readonly taken: ReadonlySet<string>;
  private readonly added = new Map<string, string>();

  /** `left` are the names of those that go. */
  constructor(
    private readonly key: 'with' | 'outputs',
    private readonly raw: JsonMap,
    private readonly left: ReadonlySet<string>,
  ) {
    const written = isMap(raw[key]) ? raw[key] : {};
    this.taken = new Set(Object.keys(written));
    for (const [name, value] of Object.entries(written)) {
      const reference = left.has(name) ? null : onlyReference(value);
      if (reference) this.names.set(insideOf(reference), name);
    }
  }

  /** The port that carries a reference, given without its brackets: the one that does already, or a new one. */
  nameOf(inside: string, wish: string): string {
    const known = this.names.get(inside);
    if (known !== undefined) return known;
    const stem = wish.slice(0, 60);
    let name = stem;
    for (let number = 2; this.taken.has(name) || this.added.has(name); number += 1) name = `${stem}_${number}`;
    this.names.set(inside, name);
    this.added.set(name, inside);
    return name;
  }

  changes(): Change[] {
    const gone = removals(this.raw, [...this.left].map((name) => [this.key, name]));
    return [...gone, ...[...this.added].map(([name, inside]) => ({ path: [this.key, name], set: `\${{ ${inside} }}` }))];
  }
}

/** A reference without its brackets. */
export function insideOf({ root, name, output }: Pick<Reference, 'root' | 'name' | 'output'>): string {
  if (root === 'item') return name;
  return root === 'tasks' ? `tasks.${name}.outputs.${output}` : `${root}.${name}`;
}

/** Is an output of one of these tasks anywhere in a value? */
export function namesAny(value: Json | undefined, names: ReadonlySet<string>): boolean {
  if (typeof value === 'string') return referencesIn(value).some(({ root, name }) => root === 'tasks' && names.has(name));
  return typeof value === 'object' && value !== null && Object.values(value).some((inner) => namesAny(inner, names));
}

/** The inputs of its scope that a task takes; those in its `outputs` are its own. */
export function inputsOf(raw: JsonMap): Set<string> {
  const names = new Set<string>();
  followed(raw, ({ root, name }) => {
    if (root === 'inputs') names.add(name);
    return null;
  });
  return names;
}

/** The inputs that a scope names in what it gives. */
export function inputsGiven({ outputs }: JsonMap): Set<string> {
  const names = new Set<string>();
  followedIn(outputs, ['outputs'], ({ root, name }) => {
    if (root === 'inputs') names.add(name);
    return null;
  });
  return names;
}

/** The change that gives a task these order links, each once. Refused where one would have two rules, or outputs are read. */
export function needsChange({ name, raw }: Pick<TaskModel, 'name' | 'raw'>, needs: readonly Need[], read: ReadonlySet<string> = new Set()): Change[] {
  const once = withoutTwice(needs, (task) => refuseRules(name, task));
  for (const { task, rule } of once) if (rule !== 'success' && read.has(task)) refuseRules(name, task);
  const [before, now] = [needsOf(raw).map(needOf), once.map(needOf)];
  if (JSON.stringify(before) === JSON.stringify(now)) return [];
  return now.length === 0 ? [{ path: ['needs'], remove: true }] : [{ path: ['needs'], set: now }];
}

function refuseRules(name: string, task: string): never {
  throw new Refused(`'${name}' would need '${task}' on two conditions: change its order links first.`);
}

/** The tasks of a scope that wait for none of it, and those that none of it waits for. */
export function endsOf({ links }: Model, inner: readonly TaskModel[]): { first: readonly TaskModel[]; last: readonly TaskModel[] } {
  const waiting = new Set(links.map(({ to }) => to));
  const waitedFor = new Set(links.map(({ from }) => from));
  return { first: inner.filter(({ key }) => !waiting.has(key)), last: inner.filter(({ key }) => !waitedFor.has(key)) };
}

/** Does anything lead from one of these tasks to another one of them through one that is not? The key of that one. */
export function between(links: readonly LinkModel[], keys: ReadonlySet<string>): string | undefined {
  const before = reached(keys, links.map(({ from, to }) => [to, from]));
  const behind = reached(keys, links.map(({ from, to }) => [from, to]));
  return [...behind].find((key) => before.has(key) && !keys.has(key));
}

/** These and all that can be reached from them along pairs. */
function reached(keys: Iterable<string>, pairs: readonly (readonly [string, string])[]): Set<string> {
  const next = new Map<string, string[]>();
  for (const [one, other] of pairs) {
    const others = next.get(one);
    if (others) others.push(other);
    else next.set(one, [other]);
  }
  const found = new Set(keys);
  for (const key of found) for (const other of next.get(key) ?? []) found.add(other);
  return found;
}

/** A scope begins further up and left where one of its tasks stands on its border; nothing moves on the screen. */
export function withRoom(layout: Layout, model: Model, scope: string | null): Layout {
  if (scope === null || !(scope in layout.tasks)) return layout;
  const inner = Object.entries(layout.tasks).filter(([key]) => model.tasks.get(key)?.parent === scope);
  const x = Math.max(0, ...inner.map(([, spot]) => FRAME.side - spot.x));
  const y = Math.max(0, ...inner.map(([, spot]) => FRAME.top - spot.y));
  const corner = layout.tasks[scope];
  if (!corner || (x === 0 && y === 0)) return layout;
  const moved = inner.map(([key, spot]) => [key, { x: spot.x + x, y: spot.y + y }] as const);
  const grown = { ...layout, tasks: { ...layout.tasks, ...Object.fromEntries(moved), [scope]: { x: corner.x - x, y: corner.y - y } } };
  return withRoom(grown, model, model.tasks.get(scope)?.parent ?? null);
}

/** Places below a task whose value is one of these tasks' output and nothing else, by name of the port. */
export function carrying(written: Json | undefined, names: ReadonlySet<string>): Map<string, Reference> {
  const found = new Map<string, Reference>();
  if (!isMap(written)) return found;
  for (const [name, value] of Object.entries(written)) {
    const reference = onlyReference(value);
    if (reference?.root === 'tasks' && names.has(reference.name)) found.set(name, reference);
  }
  return found;
}

/** Without some of its entries. */
export function others(written: Json | undefined, gone: ReadonlyMap<string, unknown>): JsonMap {
  return Object.fromEntries(Object.entries(isMap(written) ? written : {}).filter(([name]) => !gone.has(name)));
}

