import { Refused, type Doc, type Edit, type Model, type TaskModel } from '../../types';
import { isTaskName } from '../links';
import { applyChanges, type Change } from '../splice/change';
import { after, childrenOf, isInside, keyIn, needReadable, pathOf, rekeyed, taskAt, tasksPath } from './common';
import { below } from './fields';
import { followed, followedIn, followedNeeds, type Renaming } from './follow';
import { freeName } from './names';

const PARAMETER_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/;

/** Another name for a task; all that names it in its scope follows. */
export function renameTask(doc: Doc, key: string, name: string): Edit {
  needReadable(doc);
  const task = taskAt(doc.model, key);
  if (name === task.name) return {};
  if (!isTaskName(name)) {
    throw new Refused(`'${name}' cannot name a task: write at most 64 letters, digits, '-' and '_', such as train-all.`);
  }
  const siblings = childrenOf(doc.model, task.parent);
  if (siblings.some((other) => other.name === name)) throw new Refused(`There is a task '${name}' already: choose another name.`);
  const text = applyChanges(doc.text, [
    ...mentionsFollow(doc.model, task.parent, new Map([[task.name, name]])),
    { path: pathOf(doc.model, key), rename: name },
  ]);
  const renamed = keyIn(task.parent, name);
  const moved = (other: string) => (other === key ? renamed : isInside(other, key) ? renamed + other.slice(key.length) : other);
  return { text, layout: rekeyed(doc.layout, moved), select: [renamed] };
}

/** The changes that make a scope, its tasks and its outputs, say new names for old ones. */
export function mentionsFollow(model: Model, scope: string | null, names: ReadonlyMap<string, string>): Change[] {
  const rename: Renaming = ({ root, name, output }) => {
    const other = root === 'tasks' ? names.get(name) : undefined;
    return other === undefined ? null : `tasks.${other}.outputs.${output}`;
  };
  const changes = childrenOf(model, scope).flatMap(({ key, raw }) =>
    below(pathOf(model, key), [...followed(raw, rename), ...followedNeeds(raw.needs, (name) => names.get(name) ?? null)]),
  );
  if (scope === null) return changes;
  return [...changes, ...below(pathOf(model, scope), followedIn(taskAt(model, scope).raw.outputs, ['outputs'], rename))];
}

/**
 * The document in which some tasks of one scope have names that none of `others`, in another scope, has; `names` gives the
 * new ones by the old ones. The layout is left as it is.
 */
export function withFreeNames(doc: Doc, tasks: readonly TaskModel[], others: readonly TaskModel[]): { doc: Doc; names: ReadonlyMap<string, string> } {
  const scope = tasks[0]?.parent ?? null;
  const there = new Set(others.map(({ name }) => name));
  const taken = new Set([...there, ...childrenOf(doc.model, scope).map(({ name }) => name)]);
  const names = new Map<string, string>();
  for (const { name } of tasks) {
    const free = there.has(name) ? freeName(name, taken) : name;
    names.set(name, free);
    taken.add(free);
  }
  const changed = [...names].filter(([old, name]) => old !== name);
  if (changed.length === 0) return { doc, names };
  const text = applyChanges(doc.text, [
    ...mentionsFollow(doc.model, scope, new Map(changed)),
    ...changed.map(([old, rename]) => ({ path: [...tasksPath(doc.model, scope), old], rename })),
  ]);
  return { doc: after(doc, { text }), names };
}

/** Another name for a parameter of the pipeline; all tasks follow. */
export function renameParameter(doc: Doc, old: string, name: string): Edit {
  needReadable(doc);
  if (name === old) return {};
  if (!(old in doc.model.parameters)) throw new Refused(`There is no parameter '${old}' any more.`);
  if (!PARAMETER_NAME.test(name)) {
    throw new Refused(`'${name}' cannot name a parameter: write at most 64 letters, digits and '_', such as learning_rate.`);
  }
  if (name in doc.model.parameters) throw new Refused(`There is a parameter '${name}' already: choose another name.`);
  const rename: Renaming = (reference) => (reference.root === 'params' && reference.name === old ? `params.${name}` : null);
  const changes = [...doc.model.tasks.values()].flatMap(({ key, raw }) =>
    below(pathOf(doc.model, key), [...followed(raw, rename), ...followedIn(raw.outputs, ['outputs'], rename)]),
  );
  return { text: applyChanges(doc.text, [...changes, { path: ['parameters', old], rename: name }]) };
}
