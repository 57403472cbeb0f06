import { FRAME } from '../../../graph/layout';
import { Refused, type Doc, type Edit, type Json, type JsonMap, type Layout, type Model, type TaskModel } from '../../types';
import { mapNames } from '../conditions';
import { onlyReference, referencesIn, type Reference } from '../references';
import { applyChanges, type Change } from '../splice/change';
import { linesOfScope, withTasksInstead } from '../splice/tasks';
import { isMap, valueAt, without } from '../values';
import type { Path } from '../yaml/node';
import { after, childrenOf, isInside, keyIn, needReadable, pathOf, taskAt, tasksPath } from './common';
import { below } from './fields';
import { freeName } from './names';
import { needOf, needsOf, withoutTwice, type Need } from './needs';
import { mentionsFollow } from './rename';

/**
 * The tasks of a group move out of it. What it was given takes the place of `inputs.…` inside, what it gave that of its
 * outputs outside; its order links and its condition are those of its tasks. Names that are taken outside are changed.
 */
export function ungroup(doc: Doc, key: string): Edit {
  needReadable(doc);
  const { kind, parent, name } = taskAt(doc.model, key);
  if (kind !== 'group') throw new Refused(`'${name}' is no group: only groups can be taken apart.`);
  const { doc: renamed, names } = withFreeNames(doc, key);
  const { model } = renamed;
  const inner = childrenOf(model, key);
  if (inner.length === 0) throw new Refused(`'${name}' holds no tasks: delete it instead.`);
  const opening = new Opening(model, taskAt(model, key), inner);
  const beside = childrenOf(model, parent).filter((task) => task.key !== key);
  const text = applyChanges(renamed.text, [
    ...inner.flatMap((task) => below(pathOf(model, task.key), opening.outward(task))),
    ...beside.flatMap((task) => below(pathOf(model, task.key), opening.around(task))),
    ...(parent === null ? [] : below(pathOf(model, parent), opening.outputsOf(taskAt(model, parent)))),
  ]);
  const lines = linesOfScope(text, tasksPath(model, key));
  return {
    text: withTasksInstead(text, tasksPath(model, parent), new Set([name]), lines),
    layout: opened(doc.layout, key, parent, names),
    select: inner.map((task) => keyIn(parent, task.name)),
  };
}

/** Every task of the group has a name that is free outside; `names` gives the new ones by the old ones. */
function withFreeNames(doc: Doc, key: string): { doc: Doc; names: ReadonlyMap<string, string> } {
  const { parent } = taskAt(doc.model, key);
  const outside = new Set(childrenOf(doc.model, parent).filter((task) => task.key !== key).map(({ name }) => name));
  const own = childrenOf(doc.model, key).map(({ name }) => name);
  const taken = new Set([...outside, ...own]);
  const names = new Map(own.map((name) => [name, outside.has(name) ? freeName(name, taken) : name]));
  const changed = [...names].filter(([old, name]) => old !== name);
  if (changed.length === 0) return { doc, names };
  const text = applyChanges(doc.text, [
    ...mentionsFollow(doc.model, key, new Map(changed)),
    ...changed.map(([old, rename]) => ({ path: [...tasksPath(doc.model, key), old], rename })),
  ]);
  return { doc: after(doc, { text }), names };
}

/** What a reference stands for: another value, perhaps again one with references. Undefined leaves it as it is. */
type Meaning = (reference: Pick<Reference, 'root' | 'name' | 'output'>) => Json | undefined;

class Opening {
  private readonly needs: Need[];
  private readonly first: ReadonlySet<string>;
  private readonly last: ReadonlySet<string>;

  constructor(
    model: Model,
    private readonly group: TaskModel,
    private readonly inner: readonly TaskModel[],
  ) {
    this.needs = needsOf(group.raw);
    const waiting = new Set(model.links.map(({ to }) => to));
    const waitedFor = new Set(model.links.map(({ from }) => from));
    this.first = new Set(inner.filter(({ key }) => !waiting.has(key)).map(({ key }) => key));
    this.last = new Set(inner.filter(({ key }) => !waitedFor.has(key)).map(({ key }) => key));
  }

  /** Changes of a task that moves out. */
  outward({ key, name, raw }: TaskModel): Change[] {
    const given = isMap(this.group.raw.with) ? this.group.raw.with : {};
    const meaning: Meaning = (reference) => (reference.root === 'inputs' ? given[reference.name] : undefined);
    const changes = resolved(raw, meaning, name);
    const condition = this.conditionOf(raw, meaning, name);
    const needs = this.first.has(key) ? this.joined(name, [...needsOf(raw), ...this.needs]) : null;
    return [...changes, ...condition, ...(needs ? [needs] : [])];
  }

  /** Changes of a task beside the group. */
  around({ name, raw }: TaskModel): Change[] {
    const meaning: Meaning = ({ root, name: task, output }) => (root === 'tasks' && task === this.group.name ? this.output(output) : undefined);
    const changes = [...resolved(raw, meaning, name), ...resolvedCondition(raw, meaning, name)];
    const needs = needsOf(raw);
    if (!needs.some(({ task }) => task === this.group.name)) return changes;
    const spread = needs.flatMap((need) => (need.task === this.group.name ? this.lasts(need, name) : [need]));
    return [...changes, this.joined(name, spread) ?? { path: ['needs'], set: spread.map(needOf) }];
  }

  outputsOf({ name, raw }: TaskModel): Change[] {
    const meaning: Meaning = ({ root, name: task, output }) => (root === 'tasks' && task === this.group.name ? this.output(output) : undefined);
    return resolvedIn(raw.outputs, ['outputs'], meaning, name);
  }

  private output(name: string): Json | undefined {
    return valueAt(this.group.raw, ['outputs', name]);
  }

  private lasts({ rule }: Need, name: string): Need[] {
    const last = this.inner.filter(({ key }) => this.last.has(key));
    if (rule === 'failure' && this.inner.length > 1) {
      throw new Refused(`'${name}' runs when '${this.group.name}' fails, which cannot be said of its tasks one by one.`);
    }
    return last.map((task) => ({ task: task.name, rule }));
  }

  private joined(name: string, needs: readonly Need[]): Change | null {
    if (needs.length === 0) return null;
    const once = withoutTwice(needs, (task) => {
      throw new Refused(`'${name}' would need '${task}' on two conditions: change its order links first.`);
    });
    return { path: ['needs'], set: once.map(needOf) };
  }

  /** The task's own condition, and that of the group before it. */
  private conditionOf(raw: JsonMap, meaning: Meaning, name: string): Change[] {
    const { when } = this.group.raw;
    const own = resolvedCondition(raw, meaning, name);
    if (typeof when !== 'string') return own;
    const text = typeof raw.when === 'string' ? condition(raw.when, meaning, name) : null;
    return [{ path: ['when'], set: text === null ? when : `(${when}) && (${text})` }];
  }
}

const APART: ReadonlySet<string> = new Set(['kind', 'title', 'description', 'run', 'source', 'instructions', 'when', 'needs', 'outputs']);

function resolved(raw: JsonMap, meaning: Meaning, name: string): Change[] {
  return Object.entries(raw).flatMap(([key, value]) => (APART.has(key) ? [] : resolvedIn(value, [key], meaning, name)));
}

function resolvedIn(value: Json | undefined, path: Path, meaning: Meaning, name: string): Change[] {
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

function resolvedCondition(raw: JsonMap, meaning: Meaning, name: string): Change[] {
  if (typeof raw.when !== 'string') return [];
  const set = condition(raw.when, meaning, name);
  return set === raw.when ? [] : [{ path: ['when'], set }];
}

function condition(when: string, meaning: Meaning, name: string): string {
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

/** The tasks of the group stand where they stood, measured from the scope around. */
function opened(layout: Layout, key: string, parent: string | null, names: ReadonlyMap<string, string>): Layout {
  const corner = layout.tasks[key] ?? { x: FRAME.side, y: FRAME.top };
  const moved = Object.entries(without(layout.tasks, key)).map(([old, { x, y }]) => {
    if (!isInside(old, key)) return [old, { x, y }] as const;
    const [name = '', ...inside] = old.slice(key.length + 1).split('/');
    const spot = inside.length === 0 ? { x: x + corner.x - FRAME.side, y: y + corner.y - FRAME.top } : { x, y };
    return [[keyIn(parent, names.get(name) ?? name), ...inside].join('/'), spot] as const;
  });
  return { ...layout, tasks: Object.fromEntries(moved) };
}
