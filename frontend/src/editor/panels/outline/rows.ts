import type { Model, TaskModel } from '../../types';

/* The lines of the outline. Pure. */

export interface Row {
  readonly task: TaskModel;
  /** From 1. */
  readonly level: number;
  /** Null for a task that holds none. */
  readonly expanded: boolean | null;
  /** Among the tasks of its scope, from 1. */
  readonly place: number;
  readonly count: number;
}

/** What is seen of the tree: nothing inside of folded scopes; with a filter what matches, and the scopes around it. */
export function rowsOf({ tasks }: Pick<Model, 'tasks'>, folded: ReadonlySet<string>, filter: string): Row[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  const shown = words.length > 0 ? matching(tasks, words) : unfolded(tasks, folded);
  const counts = new Map<string | null, number>();
  for (const { parent } of shown) counts.set(parent, (counts.get(parent) ?? 0) + 1);
  const seen = new Map<string | null, number>();
  return shown.map((task) => {
    const place = (seen.get(task.parent) ?? 0) + 1;
    seen.set(task.parent, place);
    const expanded = task.scope ? words.length > 0 || !folded.has(task.key) : null;
    return { task, level: task.key.split('/').length, expanded, place, count: counts.get(task.parent) ?? 0 };
  });
}

function unfolded(tasks: Model['tasks'], folded: ReadonlySet<string>): TaskModel[] {
  const hidden = new Set<string>();
  return [...tasks.values()].filter(({ key, parent }) => {
    const isHidden = parent !== null && (hidden.has(parent) || folded.has(parent));
    if (isHidden) hidden.add(key);
    return !isHidden;
  });
}

function matching(tasks: Model['tasks'], words: readonly string[]): TaskModel[] {
  const kept = new Set<string>();
  for (const task of tasks.values()) {
    const text = `${task.name} ${task.title} ${task.kind}`.toLowerCase();
    if (!words.every((word) => text.includes(word))) continue;
    for (let around: TaskModel | undefined = task; around; around = around.parent === null ? undefined : tasks.get(around.parent)) {
      kept.add(around.key);
    }
  }
  return [...tasks.values()].filter(({ key }) => kept.has(key));
}
