import type { Doc, Edit, Model, TaskModel } from '../../types';
import { applyChanges, type Change } from '../splice/change';
import { withoutTasks } from '../splice/tasks';
import { isMap } from '../values';
import { childrenOf, isInside, needReadable, outermost, pathOf, rekeyed, taskAt, tasksPath } from './common';
import { below } from './fields';
import { mentions, referring, removals } from './release';

/**
 * Tasks go, with what is inside them and their links. Mentions inside longer texts and conditions stay, and are
 * problems then.
 */
export function removeTasks(doc: Doc, keys: Iterable<string>): Edit {
  needReadable(doc);
  const gone = outermost(doc.model, keys);
  const scopes = [...new Set(gone.map(({ parent }) => parent))];
  const released = applyChanges(doc.text, scopes.flatMap((scope) => releases(doc.model, scope, gone)));
  const text = scopes.reduce<string>((left, scope) => withoutTasks(left, tasksPath(doc.model, scope), namesIn(scope, gone)), released);
  const isGone = (key: string) => gone.some((task) => key === task.key || isInside(key, task.key));
  return { text, layout: rekeyed(doc.layout, (key) => (isGone(key) ? null : key)) };
}

function namesIn(scope: string | null, tasks: readonly TaskModel[]): Set<string> {
  return new Set(tasks.filter(({ parent }) => parent === scope).map(({ name }) => name));
}

/** The tasks of a scope that stay, and the scope itself, let go of those that do not. */
function releases(model: Model, scope: string | null, gone: readonly TaskModel[]): Change[] {
  const names = namesIn(scope, gone);
  const staying = childrenOf(model, scope).filter(({ name }) => !names.has(name));
  const changes = staying.flatMap(({ key, raw }) => below(pathOf(model, key), removals(raw, mentions(raw, names))));
  if (scope === null) return changes;
  const { raw } = taskAt(model, scope);
  const outputs = isMap(raw.outputs) ? referring(raw.outputs, ['outputs'], names) : [];
  return [...changes, ...below(pathOf(model, scope), removals(raw, outputs))];
}
