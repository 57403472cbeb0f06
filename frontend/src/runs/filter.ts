import type { TaskRun } from '../api/types';
import { lookOf } from '../ui/states';

export interface TaskFilter {
  q?: string | undefined;
  /** A row of the state table: "queued" also finds pending, ready and waiting. */
  state?: string | undefined;
  hide?: boolean | undefined;
}

/** The keys of tasks that fit, in the order given, each scope followed by what is inside of it. */
export function filterKeys(keys: readonly string[], tasks: Readonly<Record<string, TaskRun>>, filter: TaskFilter): string[] {
  const wanted = filter.q?.toLowerCase() ?? '';
  return nested(keys, tasks).filter((key) => {
    const task = tasks[key];
    if (!task) return false;
    if (filter.hide && task.state === 'succeeded') return false;
    if (filter.state && lookOf(task.state).look !== filter.state) return false;
    return wanted === '' || key.toLowerCase().includes(wanted) || task.title.toLowerCase().includes(wanted);
  });
}

function nested(keys: readonly string[], tasks: Readonly<Record<string, TaskRun>>): string[] {
  const inside = new Map<string | null, string[]>();
  for (const key of keys) {
    const parent = tasks[key]?.parent ?? null;
    const known = parent !== null && parent in tasks ? parent : null;
    const list = inside.get(known);
    if (list) list.push(key);
    else inside.set(known, [key]);
  }
  const walk = (parent: string | null): string[] =>
    (inside.get(parent) ?? []).flatMap((key) => [key, ...walk(key)]);
  return walk(null);
}
