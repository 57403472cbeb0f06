import { portFits } from '../../graph/ports';
import type { AddRequest, Entry, NewEnd } from '../adding';
import { addTask, connect, connectOrder, disconnect, inOrder } from '../document/operations';
import { portsOf } from '../ports';
import type { EditorState } from '../store';
import type { Doc, Edit, Port } from '../types';
import { portAt } from './linking';

type Known = Pick<EditorState, 'catalogue' | 'judged'>;

/** A new task where and linked as it was asked for. */
export function inserted(doc: Doc, entry: Entry, { scope, spot, from, to, replaces }: AddRequest, known: Known): Edit {
  const added = addTask(doc, { ...entry, scope, ...(spot === null ? {} : { spot }) });
  const [key = ''] = added.select ?? [];
  const steps: ((before: Doc) => Edit)[] = [() => added];
  if (replaces !== null) steps.push((before) => disconnect(before, [replaces]));
  if (from) steps.push((before) => linkFrom(before, from, key, known));
  if (to) steps.push((before) => linkTo(before, key, to, known));
  return { ...inOrder(doc, steps), select: [key] };
}

/** Into the first input that takes it, required ones before others; a new one where any will do; after it otherwise. */
function linkFrom(doc: Doc, from: NewEnd, key: string, known: Known): Edit {
  const given = portAt({ doc, ...known }, { task: from.task, side: 'out', name: from.port });
  if (from.port === null || given === null) return connectOrder(doc, from.task, key);
  const ports = portsOf(key, { model: doc.model, ...known });
  const input = first(ports.inputs.filter((port) => portFits(given.type, port)), given.type)?.name ?? (ports.openInputs ? from.port : null);
  if (input === null) return connectOrder(doc, from.task, key);
  return connect(doc, { task: from.task, output: from.port }, { task: key, input });
}

function linkTo(doc: Doc, key: string, to: NewEnd, known: Known): Edit {
  const wanted = portAt({ doc, ...known }, { task: to.task, side: 'in', name: to.port });
  if (to.port === null || wanted === null) return connectOrder(doc, key, to.task);
  const { outputs, openOutputs } = portsOf(key, { model: doc.model, ...known });
  const output = first(outputs.filter((port) => portFits(port.type, wanted)), wanted.type)?.name ?? (openOutputs ? to.port : null);
  if (output === null) return connectOrder(doc, key, to.task);
  return connect(doc, { task: key, output }, { task: to.task, input: to.port });
}

/** Of the same type before what merely fits, required before optional. */
function first(ports: readonly Port[], type: string): Port | undefined {
  const rank = (port: Port) => Number(port.type !== type) * 2 + Number(!port.required);
  return ports.toSorted((a, b) => rank(a) - rank(b))[0];
}
