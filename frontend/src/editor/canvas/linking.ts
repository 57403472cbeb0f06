import { between, beyond, judge, type Ground } from '../../graph/judge';
import { portFits } from '../../graph/ports';
import { connect, connectOrder } from '../document/operations';
import { portsOf } from '../ports';
import type { EditorState, EditorStore } from '../store';
import type { Model, Port } from '../types';
import { canvasOf, idOf, type PortRef } from './state';

/* How a link is made, whichever way: by dragging, by two clicks, by keys, by dropping on a card. */

type Source = Pick<EditorState, 'doc' | 'catalogue' | 'judged'>;

/** The ports of a task as they are now. */
export function portsIn({ doc, catalogue, judged }: Source, task: string) {
  return portsOf(task, { model: doc.model, catalogue, judged });
}

function groundOf(model: Model): Ground {
  return { links: model.links, scopeOf: (task) => model.tasks.get(task)?.parent ?? null };
}

/** What is known of a port; a name that is not declared may be anything. */
export function portAt(state: Source, { task, side, name }: PortRef): Port | null {
  if (name === null) return null;
  const { inputs, outputs } = portsIn(state, task);
  return (side === 'in' ? inputs : outputs).find((port) => port.name === name) ?? { name, type: 'any', required: false };
}

/** An output and an input, in this order, of two ports of which one is each. */
function ordered(one: PortRef, other: PortRef): [PortRef, PortRef] {
  return one.side === 'out' ? [one, other] : [other, one];
}

/** Why two ports cannot be linked; null: they can. */
export function refusalOf(state: Source, one: PortRef, other: PortRef): string | null {
  if (one.side === other.side) return one.side === 'out' ? 'Both are outputs: link one with an input.' : 'Both are inputs: link one with an output.';
  const [from, to] = ordered(one, other);
  return judge(
    groundOf(state.doc.model),
    { task: from.task, port: portAt(state, from) },
    { task: to.task, port: portAt(state, to) },
  );
}

/** Links two ports as one entry of the history. False when it was refused, which is told. */
export function link(store: EditorStore, one: PortRef, other: PortRef): boolean {
  const state = store.getState();
  const refusal = refusalOf(state, one, other);
  if (refusal !== null) {
    state.refuse(refusal);
    return false;
  }
  const [from, to] = ordered(one, other);
  return state.transact(`Link ${wordsOf(from)} to ${wordsOf(to)}`, (doc) =>
    from.name === null || to.name === null
      ? connectOrder(doc, from.task, to.task)
      : connect(doc, { task: from.task, output: from.name }, { task: to.task, input: to.name }),
  );
}

export function wordsOf({ task, name }: PortRef): string {
  const own = task.slice(task.lastIndexOf('/') + 1);
  return name === null ? own : `${own}.${name}`;
}

// --- which ports fit --------------------------------------------------------------------------------------

/** Tasks that may be at the other end: of the same scope, and closing no loop. Each task is visited once. */
function reachable({ tasks, links }: Model, { task, side }: PortRef): string[] {
  const own = tasks.get(task);
  const closing = beyond(links, task, side === 'out' ? 'up' : 'down');
  return [...tasks.values()]
    .filter((other) => other.parent === own?.parent && other.key !== task && !closing.has(other.key))
    .map(({ key }) => key);
}

/** Every port that can be linked with this one, hidden inputs too. */
export function fittingPorts(state: Source, from: PortRef): PortRef[] {
  return reachable(state.doc.model, from).flatMap((task) => fittingOf(state, from, task));
}

/** The same of one task that is known to be reachable. */
function fittingOf(state: Source, from: PortRef, task: string): PortRef[] {
  const side = from.side === 'out' ? 'in' : 'out';
  if (from.name === null) return [{ task, side, name: null }];
  const ports = portsIn(state, task);
  const own = portAt(state, from);
  const taken = new Set(state.doc.model.links.filter((each) => each.sort === 'data' && each.to === task).map(({ input }) => input));
  const fits = (port: Port) =>
    own !== null && (side === 'in' ? !taken.has(port.name) && portFits(own.type, port) : portFits(port.type, own));
  const found = (side === 'in' ? ports.inputs : ports.outputs).filter(fits).map(({ name }): PortRef => ({ task, side, name }));
  const open = side === 'in' && ports.openInputs && !taken.has(from.name) && !ports.inputs.some(({ name }) => name === from.name);
  return open ? [...found, { task, side, name: from.name }] : found;
}

/** What a link that is dropped on a card may end at, or why at nothing. */
export function optionsOf(state: Source, from: PortRef, task: string): PortRef[] | string {
  const [up, down] = from.side === 'out' ? [from.task, task] : [task, from.task];
  const impossible = between(groundOf(state.doc.model), up, down);
  if (impossible !== null) return impossible;
  const options = fittingOf(state, from, task);
  if (options.length > 0) return options;
  const type = portAt(state, from)?.type ?? 'order';
  const own = task.slice(task.lastIndexOf('/') + 1);
  return from.side === 'out' ? `No free input of ${own} takes ${type}.` : `No output of ${own} fits ${type}.`;
}

// --- beginning and ending ---------------------------------------------------------------------------------

export function beginLinking(store: EditorStore, from: PortRef, by: 'drag' | 'click' | 'keys'): PortRef[] {
  const fitting = fittingPorts(store.getState(), from);
  const linking = { from, by, fitting: new Map(fitting.map((port) => [idOf(port), port])), at: null, refusal: null };
  canvasOf(store).setState({ linking, choice: null });
  return fitting;
}

export function endLinking(store: EditorStore): void {
  canvasOf(store).setState({ linking: null });
}

/** Links with a card: at the only port that fits, or at the one chosen in the menu that opens. */
export function linkWithCard(store: EditorStore, from: PortRef, task: string, point: { x: number; y: number }): void {
  const options = optionsOf(store.getState(), from, task);
  if (typeof options === 'string') {
    store.getState().refuse(options);
    return;
  }
  const [only] = options;
  if (only && options.length === 1) link(store, from, only);
  else canvasOf(store).setState({ choice: { from, options, point } });
}
