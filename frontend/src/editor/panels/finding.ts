import type { Json, Model, TaskModel } from '../types';

/* Finding tasks of a document by what is written in them. Pure. */

export interface Hit {
  readonly task: TaskModel;
  /** Where it was found, below the task: `queue`, `with.table`; empty for the name. */
  readonly place: string;
  /** What stands there. */
  readonly value: string;
}

/** How good a hit is, by where it is; lower is better. Beginnings come before the rest of the same place. */
const RANKS: Readonly<Record<string, number>> = { '': 0, title: 2, kind: 4, queue: 4 };
const ELSEWHERE = 6;

/** The tasks that hold every word, best first: by name, title, kind, queue, then any other value. All of them for no word. */
export function findTasks(model: Model, query: string): Hit[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const hits: { hit: Hit; rank: number }[] = [];
  for (const task of model.tasks.values()) {
    const found = words.map((word) => best(task, word));
    if (found.includes(null)) continue;
    const ranked = found.filter((each) => each !== null).sort((one, other) => one.rank - other.rank);
    hits.push(ranked[0] ?? { hit: { task, place: '', value: task.name }, rank: 0 });
  }
  return hits.sort((one, other) => one.rank - other.rank).map(({ hit }) => hit);
}

function best(task: TaskModel, word: string): { hit: Hit; rank: number } | null {
  let found: { hit: Hit; rank: number } | null = null;
  for (const { place, value } of valuesOf(task)) {
    const at = value.toLowerCase().indexOf(word);
    if (at < 0) continue;
    const rank = (RANKS[place] ?? ELSEWHERE) + (at === 0 ? 0 : 1);
    if (!found || rank < found.rank) found = { hit: { task, place, value }, rank };
  }
  return found;
}

interface Value {
  place: string;
  value: string;
}

const values = new WeakMap<TaskModel, Value[]>();

/** Everything written in a task, with its place. */
function valuesOf(task: TaskModel): Value[] {
  const known = values.get(task);
  if (known) return known;
  const found = [{ place: '', value: task.name }, ...inside(task.raw, '')];
  values.set(task, found);
  return found;
}

function inside(value: Json, place: string): Value[] {
  if (value === null) return [];
  if (typeof value !== 'object') return [{ place, value: String(value) }];
  return Object.entries(value).flatMap(([key, inner]) => inside(inner, place === '' ? key : `${place}.${key}`));
}
