import { read } from '../document/read';
import { changesOf, type Change } from '../merge/values';
import type { JsonMap, LinkModel, Model, Rule, TaskModel } from '../types';

/* What changed from one text to another: by task and field as written. Order, comments and positions are no change. Pure. */

export type Mark = 'added' | 'removed' | 'changed';

export interface TaskDiff {
  key: string;
  mark: Mark;
  /** As it is now; as it was, when it was removed. */
  task: TaskModel;
  /** Places are below the task; none of a task that was added or removed. */
  changes: readonly Change[];
}

export interface EdgeDiff {
  from: string;
  to: string;
  rule: Rule;
  mark: 'added' | 'removed';
}

export interface Diff {
  old: Model;
  now: Model;
  tasks: readonly TaskDiff[];
  edges: readonly EdgeDiff[];
  parameters: readonly Change[];
  /** Of the head, without parameters. */
  fields: readonly Change[];
}

const EMPTY = 'tasks: {}';

/** Null when one of the texts cannot be read. An empty text is an empty pipeline. */
export function diffOf(oldText: string, nowText: string): Diff | null {
  const old = modelOf(oldText);
  const now = modelOf(nowText);
  if (!old || !now) return null;
  return {
    old,
    now,
    tasks: tasksOf(old, now),
    edges: edgesOf(old, now),
    parameters: changesOf(old.head.parameters ?? {}, now.head.parameters ?? {}),
    fields: changesOf(withoutParameters(old), withoutParameters(now)),
  };
}

export function isEmpty({ tasks, edges, parameters, fields }: Diff): boolean {
  return tasks.length + edges.length + parameters.length + fields.length === 0;
}

/** How many changes a person reads: tasks, edges, parameters and fields. */
export function countOf({ tasks, edges, parameters, fields }: Diff): number {
  return tasks.length + edges.length + parameters.length + fields.length;
}

function modelOf(text: string): Model | null {
  const { model, problems } = read(text.trim() === '' ? EMPTY : text);
  return problems.length === 0 ? model : null;
}

function withoutParameters({ head }: Model): JsonMap {
  return Object.fromEntries(Object.entries(head).filter(([name]) => name !== 'parameters'));
}

function tasksOf(old: Model, now: Model): TaskDiff[] {
  const removed = [...old.tasks.values()].filter(({ key }) => !now.tasks.has(key));
  return [
    ...[...now.tasks.values()].flatMap((task) => taskDiff(old.tasks.get(task.key), task)),
    ...removed.map((task): TaskDiff => ({ key: task.key, mark: 'removed', task, changes: [] })),
  ];
}

function taskDiff(before: TaskModel | undefined, task: TaskModel): TaskDiff[] {
  if (!before) return [{ key: task.key, mark: 'added', task, changes: [] }];
  const changes = changesOf(before.raw, task.raw);
  return changes.length === 0 ? [] : [{ key: task.key, mark: 'changed', task, changes }];
}

/** Several links between the same two tasks, for the same rule, are one edge. */
export function edgesIn({ links }: Model): Map<string, Pick<LinkModel, 'from' | 'to' | 'rule'>> {
  return new Map(links.map(({ from, to, rule }) => [`${from}>${to}:${rule}`, { from, to, rule }]));
}

function edgesOf(old: Model, now: Model): EdgeDiff[] {
  const before = edgesIn(old);
  const after = edgesIn(now);
  const added = [...after].filter(([key]) => !before.has(key)).map(([, edge]) => ({ ...edge, mark: 'added' as const }));
  const removed = [...before].filter(([key]) => !after.has(key)).map(([, edge]) => ({ ...edge, mark: 'removed' as const }));
  return [...added, ...removed];
}
