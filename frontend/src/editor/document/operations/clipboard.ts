import { Refused, type Doc, type Edit, type Layout, type Model, type Spot } from '../../types';
import { readLayout } from '../../storedLayout';
import { read } from '../read';
import { applyChanges } from '../splice/change';
import { indented, linesOfScope, linesOfTasks, withTasks } from '../splice/tasks';
import { jsonOf, locate } from '../yaml/node';
import { renderKey } from '../yaml/render';
import { treeOf } from '../yaml/tree';
import { childrenOf, isInside, keyIn, needReadable, outermost, taskAt, tasksPath } from './common';
import { freeName } from './names';
import { mentionsFollow } from './rename';

/*
 * Copied tasks are YAML that a person can read and change: the tasks as they are written, and their places under
 * `layout`. References to tasks that were not copied stay as they are: they join the task of that name where they are
 * pasted, which is then drawn, or are a problem.
 */

const SHIFT = { x: 40, y: 40 };

/** The tasks with what is inside them, as YAML. They must lie in one scope. */
export function copy(doc: Doc, keys: Iterable<string>): string {
  needReadable(doc);
  const tasks = outermost(doc.model, keys);
  const [first] = tasks;
  if (!first) throw new Refused('Select tasks to copy first.');
  if (tasks.some(({ parent }) => parent !== first.parent)) throw new Refused('Copy tasks of one group at a time.');
  const lines = linesOfTasks(doc.text, tasksPath(doc.model, first.parent), tasks.map(({ name }) => name));
  const around = first.parent === null ? '' : `${first.parent}/`;
  const places = Object.entries(doc.layout.tasks)
    .filter(([key]) => tasks.some((task) => key === task.key || isInside(key, task.key)))
    .map(([key, { x, y }]) => `  ${renderKey(key.slice(around.length))}: {x: ${x}, y: ${y}}`);
  const layout = places.length > 0 ? ['layout:', ...places] : [];
  return `${['tasks:', ...indented(lines, 2), ...layout].join('\n')}\n`;
}

/**
 * Tasks from a text of `copy`, or written like it, under free names: the corner of the uppermost left one at `spot`,
 * otherwise a little beside where they were.
 */
export function paste(doc: Doc, copied: string, spot?: Spot, scope: string | null = null): Edit {
  needReadable(doc);
  if (scope !== null && !taskAt(doc.model, scope).scope) throw new Refused(`'${scope}' holds no tasks: choose a group.`);
  const text = asDocument(copied);
  const { model } = read(text);
  if (!model || model.tasks.size === 0) throw new Refused('What was copied holds no tasks. Copy tasks of a pipeline first.');
  const names = freeNames(doc.model, scope, model);
  const renamed = applyChanges(text, [
    ...mentionsFollow(model, null, names),
    ...[...names].filter(([old, name]) => old !== name).map(([old, rename]) => ({ path: ['tasks', old], rename })),
  ]);
  const lines = linesOfScope(renamed, ['tasks']);
  const places = placed(layoutIn(text), names, spot, (name) => keyIn(scope, name));
  return {
    text: withTasks(doc.text, tasksPath(doc.model, scope), lines),
    layout: { ...doc.layout, tasks: { ...doc.layout.tasks, ...places } },
    select: [...names.values()].map((name) => keyIn(scope, name)),
  };
}

/** The same tasks once more, beside themselves. */
export function duplicate(doc: Doc, keys: Iterable<string>): Edit {
  const wanted = [...keys];
  return paste(doc, copy(doc, wanted), undefined, outermost(doc.model, wanted)[0]?.parent ?? null);
}

/** A text that is a mapping of tasks itself is taken too. */
function asDocument(copied: string): string {
  const root = treeOf(copied).root;
  if (root?.node.type !== 'map' || locate(root, ['tasks'])) return copied;
  const places = [...root.node.entries.values()].map(({ value }) => value.type === 'map' && value.entries.has('kind'));
  return places.length > 0 && places.every(Boolean) ? `tasks:\n${indented(copied.split(/\r?\n/), 2).join('\n')}` : copied;
}

/** New names by old ones. None is the old name of another copied task, so that they can be given one by one. */
function freeNames(target: Model, scope: string | null, copied: Model): Map<string, string> {
  const there = new Set(childrenOf(target, scope).map(({ name }) => name));
  const old = childrenOf(copied, null).map(({ name }) => name);
  const taken = new Set([...there, ...old]);
  return new Map(
    old.map((name) => {
      const free = there.has(name) ? freeName(name, taken) : name;
      taken.add(free);
      return [name, free];
    }),
  );
}

function layoutIn(text: string): Layout['tasks'] {
  const root = treeOf(text).root;
  const places = root && locate(root, ['layout']);
  const stored = places ? jsonOf(places.node) : {};
  return readLayout({ tasks: stored }).tasks;
}

/** The places of pasted tasks; what is inside one of them stays where it is in it. */
function placed(spots: Layout['tasks'], names: ReadonlyMap<string, string>, spot: Spot | undefined, keyOf: (name: string) => string) {
  const outer = Object.entries(spots).filter(([key]) => names.has(key)).map(([, place]) => place);
  const corner = { x: Math.min(...outer.map(({ x }) => x)), y: Math.min(...outer.map(({ y }) => y)) };
  const by = spot && outer.length > 0 ? { x: spot.x - corner.x, y: spot.y - corner.y } : SHIFT;
  const found = Object.entries(spots).flatMap(([key, { x, y }]) => {
    const [name = '', ...inside] = key.split('/');
    const renamed = names.get(name);
    if (renamed === undefined) return [];
    const moved = inside.length === 0 ? { x: x + by.x, y: y + by.y } : { x, y };
    return [[[keyOf(renamed), ...inside].join('/'), moved] as const];
  });
  const [only] = names.values();
  if (spot && found.length === 0 && only !== undefined) return { [keyOf(only)]: spot };
  return Object.fromEntries(found);
}
