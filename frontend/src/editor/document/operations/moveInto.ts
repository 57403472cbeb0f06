import { Refused, type Doc, type Edit, type Layout, type Model, type TaskModel } from '../../types';
import { isTaskName } from '../links';
import { MOST_SCOPES } from '../read';
import { applyChanges } from '../splice/change';
import { linesOfTasks, withoutTasks, withTasks } from '../splice/tasks';
import { between, withRoom } from './border';
import { after, childrenOf, isInside, keyIn, needReadable, outermost, rekeyed, taskAt, tasksPath } from './common';
import { Entering } from './enter';
import { Leaving } from './leave';
import { renameTask, withFreeNames } from './rename';

/**
 * Tasks move into a scope that is there, or out of theirs: null is the pipeline itself. What passes a border becomes an
 * input or an output of the scope, or none any more; on the screen nothing moves. Refused where tasks would wait for
 * themselves, and where a map would give for each item what was there once.
 */
export function moveInto(doc: Doc, keys: Iterable<string>, scope: string | null): Edit {
  needReadable(doc);
  const tasks = outermost(doc.model, keys);
  if (tasks.length === 0) throw new Refused('Select tasks to move first.');
  const moving = tasks.filter(({ parent }) => parent !== scope);
  refuseScope(doc.model, moving, scope);
  if (moving.length === 0) return {};
  let current = doc;
  const select: string[] = [];
  for (const parent of new Set(moving.map((task) => task.parent))) {
    const names = moving.filter((task) => task.parent === parent).map(({ name }) => name);
    const moved = walk(current, names, parent, scope);
    current = moved.doc;
    select.push(...moved.names.map((name) => keyIn(scope, name)));
  }
  return { text: current.text, layout: current.layout, select };
}

function refuseScope(model: Model, moving: readonly TaskModel[], scope: string | null): void {
  const around = scope === null ? null : taskAt(model, scope);
  if (around && !around.scope) throw new Refused(`'${around.name}' holds no tasks: choose a group.`);
  const inItself = moving.find(({ key }) => scope === key || (scope !== null && isInside(scope, key)));
  if (inItself) throw new Refused(`'${inItself.name}' cannot move into itself.`);
  const misnamed = [...moving, ...(around ? [around] : [])].find(({ name }) => !isTaskName(name));
  if (misnamed) throw new Refused(`'${misnamed.name}' is no valid name for a task: rename it first.`);
  const depth = scope === null ? 1 : scope.split('/').length + 1;
  if (moving.some((task) => depth + scopesIn(model, task) > MOST_SCOPES)) {
    throw new Refused(`More than ${MOST_SCOPES} scopes inside each other: choose an outer one.`);
  }
}

/** How many scopes lie in each other in a task, itself among them. */
function scopesIn({ tasks }: Model, { key }: TaskModel): number {
  const inside = [...tasks.values()].filter((task) => task.scope && (task.key === key || isInside(task.key, key)));
  return Math.max(0, ...inside.map((task) => task.key.split('/').length - key.split('/').length + 1));
}

interface Moved {
  readonly doc: Doc;
  readonly names: readonly string[];
}

/** Border by border: out to the nearest scope around both, then in. */
function walk(doc: Doc, names: readonly string[], from: string | null, to: string | null): Moved {
  const [out, into] = [aroundOf(from), aroundOf(to)];
  const isCommon = (scope: string) => out.includes(scope) && into.includes(scope);
  const outside = out.filter((scope) => !isCommon(scope)).reduce(leave, { doc, names });
  const inside = into.filter((scope) => !isCommon(scope)).reduceRight(enter, outside);
  return withOldNames(inside, names, to);
}

/** A scope and those around it, from the inside out. */
function aroundOf(scope: string | null): string[] {
  const parts = scope === null ? [] : scope.split('/');
  return parts.map((_, number) => parts.slice(0, parts.length - number).join('/'));
}

function enter({ doc, names }: Moved, scope: string): Moved {
  const around = taskAt(doc.model, scope).parent;
  const moving = names.map((name) => taskAt(doc.model, keyIn(around, name)));
  refuseDetour(doc.model, taskAt(doc.model, scope), moving);
  const freed = withFreeNames(doc, moving, childrenOf(doc.model, scope));
  const renamed = names.map((name) => freed.names.get(name) ?? name);
  const { model } = freed.doc;
  const tasks = renamed.map((name) => taskAt(model, keyIn(around, name)));
  const rewired = applyChanges(freed.doc.text, new Entering(model, taskAt(model, scope), tasks).changes());
  const text = carried(rewired, model, renamed, around, scope);
  const layout = across(doc.layout, freed.names, around, scope, scope, -1);
  return { doc: settled(freed.doc, text, layout, scope), names: renamed };
}

/** What comes between the scope and a task that is to be in it would have to be in it too. */
function refuseDetour(model: Model, { key, name }: TaskModel, moving: readonly TaskModel[]): void {
  const found = between(model.links, new Set([key, ...moving.map((task) => task.key)]));
  if (found === undefined) return;
  const other = taskAt(model, found).name;
  throw new Refused(`'${name}' would wait for itself, as '${other}' comes between. Move '${other}' too.`);
}

function leave({ doc, names }: Moved, scope: string): Moved {
  const around = taskAt(doc.model, scope).parent;
  const moving = names.map((name) => taskAt(doc.model, keyIn(scope, name)));
  refuseReturn(doc.model, taskAt(doc.model, scope), moving);
  const freed = withFreeNames(doc, moving, childrenOf(doc.model, around));
  const renamed = names.map((name) => freed.names.get(name) ?? name);
  const { model } = freed.doc;
  const tasks = renamed.map((name) => taskAt(model, keyIn(scope, name)));
  const rewired = applyChanges(freed.doc.text, new Leaving(model, taskAt(model, scope), tasks).changes());
  const text = carried(rewired, model, renamed, scope, around);
  const layout = across(doc.layout, freed.names, scope, around, scope, 1);
  return { doc: settled(freed.doc, text, layout, around), names: renamed };
}

/** A task that some of the scope waits for and that waits for some of it cannot stand outside. */
function refuseReturn(model: Model, scope: TaskModel, moving: readonly TaskModel[]): void {
  const staying = childrenOf(model, scope.key).filter((task) => !moving.includes(task));
  const found = between(model.links, new Set(staying.map(({ key }) => key)));
  if (found === undefined) return;
  const { name } = taskAt(model, found);
  throw new Refused(`'${scope.name}' would wait for itself, as '${name}' comes between its tasks. Move those that wait for '${name}' too.`);
}

/** The lines of tasks in another scope. */
function carried(text: string, model: Model, names: readonly string[], from: string | null, to: string | null): string {
  const lines = linesOfTasks(text, tasksPath(model, from), names);
  return withTasks(withoutTasks(text, tasksPath(model, from), new Set(names)), tasksPath(model, to), lines);
}

function settled(doc: Doc, text: string, layout: Layout, grown: string | null): Doc {
  const moved = after(doc, { text, layout });
  return { ...moved, layout: withRoom(moved.layout, moved.model, grown) };
}

/** New keys and spots; `way` is 1 where the corner of the scope is to be added to a spot, -1 where it is taken from it. */
function across(layout: Layout, names: ReadonlyMap<string, string>, from: string | null, to: string | null, scope: string, way: 1 | -1): Layout {
  const corner = layout.tasks[scope] ?? { x: 0, y: 0 };
  const before = new Map([...names].map(([old, name]) => [keyIn(from, old), keyIn(to, name)]));
  const moved = rekeyed(layout, (key) => {
    const old = [...before.keys()].find((each) => key === each || isInside(key, each));
    return old === undefined ? key : `${before.get(old) ?? old}${key.slice(old.length)}`;
  });
  const spots = [...before.values()].flatMap((key) => {
    const spot = moved.tasks[key];
    return spot ? [[key, { x: spot.x + way * corner.x, y: spot.y + way * corner.y }] as const] : [];
  });
  return { ...moved, tasks: { ...moved.tasks, ...Object.fromEntries(spots) } };
}

/** Names that were taken only on the way come back. */
function withOldNames({ doc, names }: Moved, old: readonly string[], scope: string | null): Moved {
  let current = doc;
  const kept = names.map((name, number) => {
    const wished = old[number] ?? name;
    if (wished === name || current.model.tasks.has(keyIn(scope, wished))) return name;
    current = after(current, renameTask(current, keyIn(scope, name), wished));
    return wished;
  });
  return { doc: current, names: kept };
}
