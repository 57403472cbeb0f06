import { Refused, type Doc, type Edit, type Layout, type Model, type TaskModel } from '../../types';
import { read } from '../read';
import type { Path } from '../yaml/node';

/* What operations share. Each is pure, takes a document and gives what to change; what cannot be done is Refused. */

/** A place below a task, as `with.rate` or name by name. */
export type Place = string | Path;

export function pathOfPlace(place: Place): Path {
  return typeof place === 'string' ? place.split('.') : place;
}

/** Refused while the text cannot be read: an edit would be made in the dark. */
export function needReadable({ broken: [first] }: Doc): void {
  if (first) throw new Refused(`Fix the YAML first: line ${first.line}, ${first.message}`);
}

export function taskAt({ tasks }: Model, key: string): TaskModel {
  const task = tasks.get(key);
  if (!task) throw new Refused(`There is no task '${key}' any more.`);
  return task;
}

/** The path of a task in the document. */
export function pathOf(model: Model, key: string): Path {
  const { parent, name } = taskAt(model, key);
  return parent === null ? ['tasks', name] : [...pathOf(model, parent), 'tasks', name];
}

/** The path of the tasks of a scope; null is the outermost one. */
export function tasksPath(model: Model, scope: string | null): Path {
  return scope === null ? ['tasks'] : [...pathOf(model, scope), 'tasks'];
}

export function keyIn(scope: string | null, name: string): string {
  return scope === null ? name : `${scope}/${name}`;
}

/** The tasks of a scope, in order. */
export function childrenOf({ tasks }: Model, scope: string | null): TaskModel[] {
  return [...tasks.values()].filter(({ parent }) => parent === scope);
}

export function isInside(key: string, scope: string): boolean {
  return key.startsWith(`${scope}/`);
}

/** Without what lies inside another one of them, in the order of the text. */
export function outermost({ tasks }: Model, keys: Iterable<string>): TaskModel[] {
  const wanted = new Set(keys);
  return [...tasks.values()].filter(({ key, parent }) => {
    if (!wanted.has(key)) return false;
    for (let around = parent; around !== null; around = tasks.get(around)?.parent ?? null) if (wanted.has(around)) return false;
    return true;
  });
}

/** The layout with the keys of tasks replaced; null takes one away. */
export function rekeyed(layout: Layout, rename: (key: string) => string | null): Layout {
  const spots = Object.entries(layout.tasks);
  if (spots.every(([key]) => rename(key) === key)) return layout;
  const tasks = spots.flatMap(([key, spot]) => {
    const renamed = rename(key);
    return renamed === null ? [] : [[renamed, spot] as const];
  });
  return { ...layout, tasks: Object.fromEntries(tasks) };
}

/** The document after an edit, for the next one. */
export function after(doc: Doc, { text = doc.text, layout = doc.layout }: Edit): Doc {
  if (text === doc.text) return { ...doc, layout };
  const { model, problems } = read(text);
  if (model === null) throw new Refused(`This would make the YAML unreadable: ${problems[0]?.message ?? 'it cannot be read'}`);
  return { text, layout, model, broken: [] };
}

/** Several operations as one, each on what the one before made. */
export function inOrder(doc: Doc, operations: readonly ((doc: Doc) => Edit)[]): Edit {
  let current = doc;
  let select: readonly string[] | undefined;
  for (const operation of operations) {
    const edit = operation(current);
    current = after(current, edit);
    select = edit.select ?? select;
  }
  return { text: current.text, layout: current.layout, ...(select && { select }) };
}
