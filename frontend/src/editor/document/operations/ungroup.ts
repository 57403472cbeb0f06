import { FRAME } from '../../../graph/layout';
import { Refused, type Doc, type Edit, type Json, type JsonMap, type Layout, type Model, type TaskModel } from '../../types';
import { applyChanges, type Change } from '../splice/change';
import { linesAround, linesOfScope, withTasksInstead } from '../splice/tasks';
import { isMap, valueAt, without } from '../values';
import { endsOf } from './border';
import { childrenOf, isInside, keyIn, needReadable, pathOf, taskAt, tasksPath } from './common';
import { below } from './fields';
import { needOf, needsOf, withoutTwice, type Need } from './needs';
import { withFreeNames } from './rename';
import { condition, resolved, resolvedCondition, resolvedIn, type Meaning } from './resolve';

/**
 * The tasks of a group move out of it. What it was given takes the place of `inputs.…` inside, what it gave that of its
 * outputs outside; its order links and its condition are those of its tasks. Names that are taken outside are changed, and
 * what was said about the group in comments is said above its first task.
 */
export function ungroup(doc: Doc, key: string): Edit {
  needReadable(doc);
  const { kind, parent, name } = taskAt(doc.model, key);
  if (kind !== 'group') throw new Refused(`'${name}' is no group: only groups can be taken apart.`);
  const outside = childrenOf(doc.model, parent).filter((task) => task.key !== key);
  const { doc: renamed, names } = withFreeNames(doc, childrenOf(doc.model, key), outside);
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
  const lines = [...linesAround(text, pathOf(model, key)), ...linesOfScope(text, tasksPath(model, key))];
  return {
    text: withTasksInstead(text, tasksPath(model, parent), new Set([name]), lines),
    layout: opened(doc.layout, key, parent, names),
    select: inner.map((task) => keyIn(parent, task.name)),
  };
}

class Opening {
  private readonly needs: Need[];
  private readonly first: ReadonlySet<TaskModel>;
  private readonly last: readonly TaskModel[];

  constructor(
    model: Model,
    private readonly group: TaskModel,
    private readonly inner: readonly TaskModel[],
  ) {
    this.needs = needsOf(group.raw);
    const { first, last } = endsOf(model, inner);
    this.first = new Set(first);
    this.last = last;
  }

  /** Changes of a task that moves out. */
  outward(task: TaskModel): Change[] {
    const { name, raw } = task;
    const given = isMap(this.group.raw.with) ? this.group.raw.with : {};
    const meaning: Meaning = (reference) => (reference.root === 'inputs' ? given[reference.name] : undefined);
    const changes = resolved(raw, meaning, name);
    const condition = this.conditionOf(raw, meaning, name);
    const needs = this.first.has(task) ? this.joined(name, [...needsOf(raw), ...this.needs]) : null;
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
    if (rule === 'failure' && this.inner.length > 1) {
      throw new Refused(`'${name}' runs when '${this.group.name}' fails, which cannot be said of its tasks one by one.`);
    }
    return this.last.map((task) => ({ task: task.name, rule }));
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
