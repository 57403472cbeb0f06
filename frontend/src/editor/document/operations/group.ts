import { FRAME } from '../../../graph/layout';
import { Refused, type Doc, type Edit, type Json, type JsonMap, type Layout, type Model, type Rule, type TaskModel } from '../../types';
import { isTaskName } from '../links';
import { applyChanges, type Change } from '../splice/change';
import { unitOf } from '../splice/geometry';
import { indented, linesOfTasks, withTasksInstead } from '../splice/tasks';
import { renderEntry } from '../yaml/render';
import { between } from './border';
import { childrenOf, isInside, keyIn, needReadable, outermost, pathOf, rekeyed, taskAt, tasksPath } from './common';
import { below } from './fields';
import { followed, followedIn, type Renaming } from './follow';
import { freeName } from './names';
import { needOf, needsOf, withoutTwice, type Need } from './needs';
import { removals } from './release';

/**
 * Tasks of one scope move into a new group. What they take from outside becomes its `with`, what the outside takes from
 * them its `outputs`, and order links are those of the group. Refused where the group would wait for itself.
 */
export function group(doc: Doc, keys: Iterable<string>, wished = 'group'): Edit {
  needReadable(doc);
  const moving = outermost(doc.model, keys);
  const scope = scopeOf(moving);
  refuseLoop(doc.model, moving);
  const staying = childrenOf(doc.model, scope).filter((task) => !moving.includes(task));
  const name = freeName(wished, new Set(staying.map((task) => task.name)));
  const seam = new Seam(name, moving);
  const changes = [
    ...moving.flatMap((task) => below(pathOf(doc.model, task.key), seam.inward(task))),
    ...staying.flatMap((task) => below(pathOf(doc.model, task.key), seam.outward(task))),
    ...(scope === null ? [] : below(pathOf(doc.model, scope), seam.outputsOf(taskAt(doc.model, scope)))),
  ];
  const rewired = applyChanges(doc.text, changes);
  const moved = linesOfTasks(rewired, tasksPath(doc.model, scope), moving.map((task) => task.name));
  const lines = seam.lines(unitOf(doc.text), moved);
  const text = withTasksInstead(rewired, tasksPath(doc.model, scope), new Set(moving.map((task) => task.name)), lines);
  const key = keyIn(scope, name);
  return { text, layout: enclosed(doc.layout, moving, key), select: [key] };
}

function scopeOf(moving: readonly TaskModel[]): string | null {
  const [first] = moving;
  if (!first) throw new Refused('Select tasks to group first.');
  if (moving.some(({ parent }) => parent !== first.parent)) throw new Refused('Group tasks that lie in the same group.');
  if (!moving.every(({ name }) => isTaskName(name))) throw new Refused('A task has no valid name: rename it first.');
  return first.parent;
}

function refuseLoop(model: Model, moving: readonly TaskModel[]): void {
  const found = between(model.links, new Set(moving.map(({ key }) => key)));
  if (found === undefined) return;
  const { name } = taskAt(model, found);
  throw new Refused(`The group would wait for itself, as '${name}' comes between its tasks. Add '${name}' to it.`);
}

/** What passes between the inside and the outside of a new group. */
class Seam {
  private readonly names: ReadonlySet<string>;
  /** Names of inputs by what they are given, of outputs by what they give. */
  private readonly inputs = new Map<string, string>();
  private readonly outputs = new Map<string, string>();
  private readonly needs = new Map<string, Rule>();
  /** Tasks whose outputs come in. */
  private readonly read = new Set<string>();

  constructor(
    private readonly name: string,
    moving: readonly TaskModel[],
  ) {
    this.names = new Set(moving.map((task) => task.name));
  }

  /** Changes of a task that moves in. */
  inward({ raw }: TaskModel): Change[] {
    const rename: Renaming = ({ root, name, output }) => {
      if (root === 'params' || root === 'secrets' || (root === 'tasks' && this.names.has(name))) return null;
      if (root === 'tasks') this.read.add(name);
      const [given, wish] = root === 'tasks' ? [`tasks.${name}.outputs.${output}`, output] : [root === 'inputs' ? `inputs.${name}` : name, name];
      return `inputs.${port(this.inputs, given, wish)}`;
    };
    const changes = followed(raw, rename);
    const outside = needsOf(raw).filter(({ task }) => !this.names.has(task));
    for (const need of outside) this.need(need);
    return [...changes, ...removals(raw, outside.map(({ number }) => ['needs', number]))];
  }

  /** Changes of a task beside the group. */
  outward({ name, raw }: TaskModel): Change[] {
    const changes = followed(raw, (reference) => this.given(reference));
    const needs = needsOf(raw);
    if (!needs.some(({ task }) => this.names.has(task))) return changes;
    const joined = needs.map((need) => (this.names.has(need.task) ? { ...need, task: this.name } : need));
    const own = joined.filter(({ task }) => task === this.name);
    if (changes.length > 0 && own.some(({ rule }) => rule !== 'success')) this.refuse(name);
    const left = withoutTwice(joined, () => this.refuse(name));
    return [...changes, { path: ['needs'], set: left.map(needOf) }];
  }

  /** Changes of what the scope around gives. */
  outputsOf({ raw }: TaskModel): Change[] {
    return followedIn(raw.outputs, ['outputs'], (reference) => this.given(reference));
  }

  /** The group's own lines around those of its tasks. */
  lines(unit: number, tasks: readonly string[]): string[] {
    for (const task of this.read) if (this.needs.has(task)) this.need({ task, rule: 'success' });
    const needs = [...this.needs].map(([task, rule]) => needOf({ task, rule }));
    const written = (key: string, value: Json) => renderEntry(key, value, unit, { unit });
    return [
      `${this.name}:`,
      ...written('kind', 'group'),
      ...(needs.length > 0 ? written('needs', needs) : []),
      ...(this.inputs.size > 0 ? written('with', asReferences(this.inputs)) : []),
      `${' '.repeat(unit)}tasks:`,
      ...indented(tasks, 2 * unit),
      ...(this.outputs.size > 0 ? written('outputs', asReferences(this.outputs)) : []),
    ];
  }

  private given({ root, name, output }: Parameters<Renaming>[0]): string | null {
    if (root !== 'tasks' || !this.names.has(name)) return null;
    return `tasks.${this.name}.outputs.${port(this.outputs, `tasks.${name}.outputs.${output}`, output)}`;
  }

  private need({ task, rule }: Need): void {
    const before = this.needs.get(task) ?? rule;
    if (before !== rule) throw new Refused(`The group would need '${task}' on ${before} and on ${rule}: leave one of these tasks out.`);
    this.needs.set(task, rule);
  }

  private refuse(name: string): never {
    throw new Refused(`'${name}' would need the group on more than one condition: change its order links first.`);
  }
}

function port(ports: Map<string, string>, given: string, wish: string): string {
  const known = ports.get(given);
  if (known !== undefined) return known;
  const taken = new Set(ports.values());
  const stem = wish.slice(0, 60);
  let name = stem;
  for (let number = 2; taken.has(name); number += 1) name = `${stem}_${number}`;
  ports.set(given, name);
  return name;
}

function asReferences(ports: ReadonlyMap<string, string>): JsonMap {
  return Object.fromEntries([...ports].map(([given, name]) => [name, `\${{ ${given} }}`]));
}

/** The group takes the place of its uppermost left task; inside it they stand as they stood. */
function enclosed(layout: Layout, moving: readonly TaskModel[], key: string): Layout {
  const spots = moving.flatMap((task) => layout.tasks[task.key] ?? []);
  const inner = rekeyed(layout, (old) => {
    const task = moving.find((other) => old === other.key || isInside(old, other.key));
    return task ? `${key}/${task.name}${old.slice(task.key.length)}` : old;
  });
  if (spots.length === 0) return inner;
  const corner = { x: Math.min(...spots.map(({ x }) => x)), y: Math.min(...spots.map(({ y }) => y)) };
  const moved = moving.flatMap(({ key: old, name }) => {
    const spot = layout.tasks[old];
    return spot ? [[`${key}/${name}`, { x: spot.x - corner.x + FRAME.side, y: spot.y - corner.y + FRAME.top }] as const] : [];
  });
  return { ...inner, tasks: { ...inner.tasks, ...Object.fromEntries(moved), [key]: corner } };
}
