import { portFits, type PortLike } from './ports';

/** May two ports be linked? Judged while a person still drags, so it must be quick and say why not. Pure. */

export interface LinkLike {
  readonly id: string;
  readonly sort: 'data' | 'condition' | 'order';
  readonly from: string;
  readonly to: string;
  readonly output: string | null;
  readonly input: string | null;
}

/** A port of a task; `port` null is the order port. */
export interface End {
  readonly task: string;
  readonly port: PortLike | null;
}

export interface Ground {
  readonly links: readonly LinkLike[];
  /** The scope that holds a task, null for the outermost. */
  readonly scopeOf: (task: string) => string | null;
}

/** Why `from` (an output) and `to` (an input) cannot be linked, in words for the person; null: they can. */
export function judge(ground: Ground, from: End, to: End): string | null {
  return between(ground, from.task, to.task) ?? (to.port === null ? ordered(ground, from, to) : carried(ground, from, to, to.port));
}

/** Why no link at all may lead from one task to the other; null: one may. */
export function between({ links, scopeOf }: Ground, from: string, to: string): string | null {
  if (from === to) return `${named(from)} cannot wait for itself.`;
  if (scopeOf(from) !== scopeOf(to)) return apart(from, to, scopeOf);
  if (reaches(links, to, from)) return `${named(to)} runs before ${named(from)} already: this would close a loop.`;
  return null;
}

function apart(from: string, to: string, scopeOf: Ground['scopeOf']): string {
  const scope = scopeOf(from);
  const where = scope === null ? 'outside of every group' : `in ${named(scope)}`;
  return `${named(from)} is ${where} and ${named(to)} is not: links join tasks of one group.`;
}

function ordered({ links }: Ground, from: End, to: End): string | null {
  const double = links.some((link) => link.sort === 'order' && link.from === from.task && link.to === to.task);
  return double ? `${named(to.task)} waits for ${named(from.task)} already.` : null;
}

function carried({ links }: Ground, from: End, to: End, input: PortLike): string | null {
  if (from.port === null) return `An order link carries no value: ${input.name} of ${named(to.task)} needs one.`;
  if (!portFits(from.port.type, input)) return misfit(from.port.type, input);
  const taken = links.find((link) => link.sort === 'data' && link.to === to.task && link.input === input.name);
  if (!taken) return null;
  return `${input.name} of ${named(to.task)} is taken by ${named(taken.from)}.${taken.output ?? ''}: remove that link first.`;
}

function misfit(given: string, { name, type, accepts = [] }: PortLike): string {
  return `${given} does not fit ${[type, ...accepts].join(' or ')} (${name}).`;
}

/** Whether a task leads to another along links. Each task is visited once. */
export function reaches(links: readonly LinkLike[], from: string, to: string): boolean {
  const after = followers(links);
  const seen = new Set([from]);
  const open = [from];
  for (let task = open.pop(); task !== undefined; task = open.pop()) {
    if (task === to) return true;
    for (const next of after.get(task) ?? NONE) {
      if (seen.has(next)) continue;
      seen.add(next);
      open.push(next);
    }
  }
  return false;
}

/** Everything that a task leads to (`down`) or that leads to it (`up`), itself left out. */
export function beyond(links: readonly LinkLike[], task: string, way: 'up' | 'down'): Set<string> {
  const step = way === 'down' ? followers(links) : leaders(links);
  const seen = new Set<string>();
  const open = [task];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    for (const next of step.get(at) ?? NONE) {
      if (next === task || seen.has(next)) continue;
      seen.add(next);
      open.push(next);
    }
  }
  return seen;
}

type Steps = ReadonlyMap<string, readonly string[]>;

const NONE: readonly string[] = [];
/** A list of links is asked many times while a person drags. */
const known = new WeakMap<readonly LinkLike[], Steps>();

function followers(links: readonly LinkLike[]): Steps {
  const found = known.get(links) ?? stepsOf(links.map(({ from, to }) => [from, to]));
  known.set(links, found);
  return found;
}

function leaders(links: readonly LinkLike[]): Steps {
  return stepsOf(links.map(({ from, to }) => [to, from]));
}

function stepsOf(pairs: [string, string][]): Steps {
  const steps = new Map<string, string[]>();
  for (const [from, to] of pairs) {
    const list = steps.get(from);
    if (list) list.push(to);
    else steps.set(from, [to]);
  }
  return steps;
}

/** The last part of a key: `train-all/fit` is `fit`. */
function named(key: string): string {
  return key.slice(key.lastIndexOf('/') + 1);
}
