import { Refused, type Doc, type Edit, type JsonMap, type Spot } from '../../types';
import { applyChanges, type Change } from '../splice/change';
import { childrenOf, inOrder, keyIn, needReadable, taskAt, tasksPath } from './common';
import { connect, connectOrder } from './connect';
import { freeName } from './names';

/** Null instead of a name: an order link. */
export type NewLink =
  | { readonly from: { readonly task: string; readonly output: string | null }; readonly input: string | null }
  | { readonly to: { readonly task: string; readonly input: string | null }; readonly output: string | null };

export interface NewTask {
  /** The keys of the task. `kind` among them. */
  readonly entry: JsonMap;
  /** Made free if it is taken; from the block or the kind when absent. */
  readonly name?: string;
  /** Key of the group that will hold it; null or absent: the pipeline itself. */
  readonly scope?: string | null;
  readonly spot?: Spot;
  readonly connect?: NewLink;
  /** The code location to write down when the document names none. */
  readonly location?: string;
}

/** A new task, linked if wanted, and selected. */
export function addTask(doc: Doc, task: NewTask): Edit {
  const { connect: link, scope = null } = task;
  const name = freeName(task.name ?? suggestedName(task.entry), new Set(childrenOf(doc.model, scope).map((other) => other.name)));
  const key = keyIn(scope, name);
  const steps = [(before: Doc) => withTask(before, name, task)];
  if (link) steps.push((before) => linked(before, key, link));
  return { ...inOrder(doc, steps), select: [key] };
}

function withTask(doc: Doc, name: string, { entry, scope = null, spot, location }: NewTask): Edit {
  needReadable(doc);
  if (scope !== null && !taskAt(doc.model, scope).scope) throw new Refused(`'${scope}' holds no tasks: choose a group.`);
  const text = applyChanges(doc.text, [...beginnings(doc, entry, location), { path: [...tasksPath(doc.model, scope), name], set: entry }]);
  if (!spot) return { text };
  return { text, layout: { ...doc.layout, tasks: { ...doc.layout.tasks, [keyIn(scope, name)]: spot } } };
}

/** What a document without it needs before its first task, or its first block. */
function beginnings({ text, model }: Doc, { kind, run }: JsonMap, location?: string): Change[] {
  const changes: Change[] = [];
  if (text.trim() === '' || Object.keys(model.head).length === 0) changes.push({ path: ['schema'], set: 'orchestrator/v1' });
  if (location !== undefined && kind === 'python' && run !== undefined && model.head.code === undefined) {
    changes.push({ path: ['code'], set: { location, follow: 'published' } });
  }
  return changes;
}

function linked(doc: Doc, key: string, link: NewLink): Edit {
  const [from, output, to, input] =
    'from' in link ? [link.from.task, link.from.output, key, link.input] : [key, link.output, link.to.task, link.to.input];
  if (output === null || input === null) return connectOrder(doc, from, to);
  return connect(doc, { task: from, output }, { task: to, input });
}

/** `digits:train` gives `train`. */
function suggestedName({ kind, run }: JsonMap): string {
  const block = kind === 'python' && typeof run === 'string' ? run.split(':').at(-1) : undefined;
  return block ?? (typeof kind === 'string' ? kind : 'task');
}
