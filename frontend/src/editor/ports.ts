import type { Catalogue, GraphTask, Judged, Json, JsonMap, Model, Port, Ports, Signature, TaskModel } from './types';

/*
 * The ports of a task as it is written now. Mirrors pipelines/task_kinds where the answer is in the document or the
 * catalogue; the rest is what the server read last.
 */

export interface Known {
  readonly model: Model;
  readonly catalogue: Catalogue;
  readonly judged: Judged | null;
}

export const OPEN_PORTS: Ports = { inputs: [], outputs: [], openInputs: true, openOutputs: true };
const NO_PORTS: Ports = { inputs: [], outputs: [], openInputs: false, openOutputs: false };

interface Answer {
  readonly raw: JsonMap;
  readonly catalogue: Catalogue;
  readonly judged: Judged | null;
  readonly ports: Ports;
}

/** How many answers are kept before they are made anew. */
const MANY = 20_000;
const answers = new Map<string, Answer>();

/** The ports of one task; the same object for as long as they are the same. A task that is not there has none. */
export function portsOf(key: string, { model, catalogue, judged }: Known): Ports {
  const task = model.tasks.get(key);
  if (!task) return NO_PORTS;
  const before = answers.get(key);
  if (before?.raw === task.raw && before.catalogue === catalogue && before.judged === judged) return before.ports;
  const now = written(task, catalogue, judged);
  const ports = before && same(before.ports, now) ? before.ports : now;
  if (answers.size > MANY) answers.clear();
  answers.set(key, { raw: task.raw, catalogue, judged, ports });
  return ports;
}

function written(task: TaskModel, catalogue: Catalogue, judged: Judged | null): Ports {
  return withGiven(declaredPorts(task, { catalogue, judged }), task.raw, seenBy(judged, task.key));
}

/** The ports that a task has by its kind, code or declarations: without inputs that are only given. */
export function declaredPorts(task: TaskModel, { catalogue, judged }: Pick<Known, 'catalogue' | 'judged'>): Ports {
  return ofKind(task, catalogue, judged, seenBy(judged, task.key));
}

function ofKind(task: TaskModel, catalogue: Catalogue, judged: Judged | null, seen: GraphTask | null): Ports {
  const { raw, kind } = task;
  const fixed = catalogue.kinds.get(kind)?.ports ?? OPEN_PORTS;
  if (kind === 'python') return ofPython(task, catalogue, judged);
  if (kind === 'shell' || kind === 'manual') return { ...fixed, outputs: declared(raw.outputs), openInputs: true, openOutputs: false };
  if (kind === 'pipeline' && !('tasks' in raw) && !task.scope) return { ...fixed, openInputs: true, openOutputs: true };
  if (task.scope) return { ...fixed, outputs: exported(raw.outputs, seen), openInputs: true, openOutputs: false };
  return fixed;
}

function ofPython({ key, raw }: TaskModel, { blocks }: Catalogue, judged: Judged | null): Ports {
  if (typeof raw.run === 'string') return ofSignature(blocks.get(raw.run));
  if (typeof raw.source === 'string') return ofSignature(readOf(key, raw.source, judged));
  return OPEN_PORTS;
}

export function ofSignature(signature: Signature | undefined): Ports {
  if (!signature) return OPEN_PORTS;
  return { inputs: signature.inputs, outputs: signature.outputs, openInputs: signature.open, openOutputs: false };
}

// --- code in the document -----------------------------------------------------------------------------------------

/** The signatures of codes, and of a task when its code could be read last. */
const ofCodes = new Map<string, Signature>();
const ofTasks = new Map<string, Signature>();

/** The signature of code in the document: as the server read it, else as it was when it could be read last. */
function readOf(key: string, source: string, judged: Judged | null): Signature | undefined {
  const task = `${judged?.model?.name ?? ''} ${key}`;
  const found = judged?.signatures[key];
  const code = judged?.model?.tasks.get(key)?.raw.source;
  if (found) {
    if (ofCodes.size > MANY) ofCodes.clear();
    ofTasks.set(task, found);
    if (typeof code === 'string') ofCodes.set(code, found);
  }
  return ofCodes.get(source) ?? ofTasks.get(task);
}

// --- what is written ----------------------------------------------------------------------------------------------

/** `outputs: {name: type}` */
function declared(outputs: Json | undefined): Port[] {
  return Object.entries(mapOf(outputs)).map(([name, type]) => ({ name, type: typeof type === 'string' ? type : 'any', required: false }));
}

/** `outputs: {name: ${{ … }}}` of a scope; their types are those the server found. */
function exported(outputs: Json | undefined, seen: GraphTask | null): Port[] {
  const types = new Map(seen?.outputs.map(({ name, type }) => [name, type]));
  return Object.keys(mapOf(outputs)).map((name) => ({ name, type: types.get(name) ?? 'any', required: false }));
}

/** Inputs that are given beyond those which are known. */
function withGiven(ports: Ports, raw: JsonMap, seen: GraphTask | null): Ports {
  if (!ports.openInputs) return ports;
  const known = new Set(ports.inputs.map(({ name }) => name));
  const types = new Map(seen?.inputs.map(({ name, type }) => [name, type]));
  const given = Object.entries(mapOf(raw.with)).filter(([name]) => !known.has(name));
  if (given.length === 0) return ports;
  const extra = given.map(([name, value]) => ({ name, type: types.get(name) ?? typeOf(value), required: false }));
  return { ...ports, inputs: [...ports.inputs, ...extra] };
}

/** The port type of a value as it is written; of a reference it is not known here. */
export function typeOf(value: Json | undefined): string {
  if (typeof value === 'boolean') return 'boolean';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  if (typeof value === 'string') return value.includes('${{') ? 'any' : 'string';
  return value === null || value === undefined ? 'any' : 'json';
}

export function mapOf(value: Json | undefined): JsonMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
}

// --- what the server saw ------------------------------------------------------------------------------------------

const graphs = new WeakMap<Judged, ReadonlyMap<string, GraphTask>>();

function seenBy(judged: Judged | null, key: string): GraphTask | null {
  if (!judged?.graph) return null;
  let tasks = graphs.get(judged);
  if (!tasks) {
    tasks = new Map(judged.graph.tasks.map((task) => [task.key, task]));
    graphs.set(judged, tasks);
  }
  return tasks.get(key) ?? null;
}

function same(one: Ports, other: Ports): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
