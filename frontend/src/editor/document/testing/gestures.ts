import type { Doc, Edit, Json, JsonMap, TaskModel } from '../../types';
import * as operations from '../operations';

/* Random gestures of a person, from a seed: the same seed makes the same edits. */

export type Chance = () => number;

/** Numbers from 0 to 1 (mulberry32). */
export function chanceOf(seed: number): Chance {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** One of some; there must be one. */
function pick<T>(chance: Chance, from: readonly T[]): T {
  return from[Math.floor(chance() * from.length)] as T;
}

function maybe<T>(chance: Chance, from: readonly T[]): T | undefined {
  return from.length === 0 ? undefined : pick(chance, from);
}

function some<T>(chance: Chance, from: readonly T[], most: number): T[] {
  return from.length === 0 ? [] : Array.from({ length: 1 + Math.floor(chance() * most) }, () => pick(chance, from));
}

export interface Gesture {
  readonly name: string;
  /** Tasks whose own comments may go with what is removed. */
  readonly loses: readonly string[];
  /** Those that go as a whole, with the comments above them. */
  readonly gone: readonly string[];
  /** The key of a task before and after, where it only gets another name. */
  readonly renamed: readonly [string, string] | null;
  readonly perform: (doc: Doc) => Edit;
}

const VALUES: readonly Json[] = [
  ...['', ' ', 'x', 'on', 'no', '0x1f', '12:30', '1e3', '~', 'null', 'a: b', 'a #b', '- x', "it's", '"q"', 'a\\b', '{x', '[', '&a', '*a', '!t', '%', '@'],
  ...['two\nlines', 'ends\n', '\n  indented\nless', 'tab\there', 'ü €', '🙂', '${{ params.rate }}', 'a ${{ params.rate }} b', '? x', ': y', 'trailing ', '#', '\n', 'a\n\n', 'long '.repeat(40)],
  ...[0, 1, -1, 0.1, 1e-7, 1e21, 123456789012, true, false, null],
  ...[[], [1, 2], ['a', 'b, c'], {}, { a: 1 }, { a: { b: ['x', { c: 'two\nlines' }] } }],
];
const NAMES: readonly string[] = ['a', 'b', 'load', 'train', 'on', 'n0', 'Fit-2', '9lives', 'a_b', 'x'.repeat(64)];
const PLACES: readonly string[] = ['title', 'description', 'with.a', 'with.b', 'with.c.deep', 'with.new', 'run', 'retries.limit', 'queue', 'resources.memory'];
const CONDITIONS: readonly string[] = ['', 'params.rate > 1', "params.rate == 0.5 || 'tasks.load.outputs.x' == ''", '1 < 2'];
const ENTRIES: readonly JsonMap[] = [
  { kind: 'shell', run: 'echo', outputs: { x: 'integer', table: 'table' } },
  { kind: 'shell', run: 'echo 1\necho 2\n' },
  { kind: 'python', run: 'digits:train' },
  { kind: 'group', tasks: {} },
  { kind: 'check', with: {}, checks: [{ rows: { min: 1 } }, { column: 'a', in: ['x', 'y'] }] },
  { kind: 'approval', by: ['approver'], requester_may_approve: true },
];

/** One gesture that may make sense in this document. */
export function gestureOf(chance: Chance, doc: Doc): Gesture {
  const tasks = [...doc.model.tasks.values()];
  const task = maybe(chance, tasks);
  const make = pick(chance, task ? MAKERS : [adding]);
  return make(chance, doc, task ?? NOTHING);
}

const NOTHING = { key: '', parent: null } as unknown as TaskModel;
type Maker = (chance: Chance, doc: Doc, task: TaskModel) => Gesture;

function gesture(name: string, perform: Gesture['perform'], loses: readonly string[] = [], gone: readonly string[] = []): Gesture {
  return { name, perform, loses, gone, renamed: null };
}

const siblingsOf = ({ model }: Doc, { parent }: TaskModel) => [...model.tasks.values()].filter((other) => other.parent === parent);

const adding: Maker = (chance, { model }) => {
  const scopes = [null, ...[...model.tasks.values()].filter(({ scope }) => scope).map(({ key }) => key)];
  const [entry, scope, name] = [pick(chance, ENTRIES), pick(chance, scopes), pick(chance, NAMES)];
  const from = maybe(chance, [...model.tasks.values()].filter(({ parent }) => parent === scope));
  const connect = from && chance() < 0.5 ? { from: { task: from.key, output: 'x' }, input: 'x' } : undefined;
  const task = { entry, scope, name, spot: { x: 1, y: 2 }, location: 'demo', ...(connect && { connect }) };
  return gesture(`add ${JSON.stringify(task)}`, (doc) => operations.addTask(doc, task));
};

const MAKERS: readonly Maker[] = [
  adding,
  (chance, doc, { parent }) => {
    const keys = some(chance, siblingsOf(doc, { parent } as TaskModel), 3).map(({ key }) => key);
    return gesture(`remove ${keys.join()}`, (now) => operations.removeTasks(now, keys), siblingsOf(doc, { parent } as TaskModel).map(({ key }) => key).concat(parent ?? []), keys);
  },
  (chance, _, { key, parent }) => {
    const name = pick(chance, NAMES);
    const renaming = gesture(`rename ${key} ${name}`, (now) => operations.renameTask(now, key, name));
    return { ...renaming, renamed: [key, parent === null ? name : `${parent}/${name}`] };
  },
  (chance, _, { key }) => {
    const [place, value] = [pick(chance, PLACES), pick(chance, VALUES)];
    return gesture(`set ${key} ${place} ${JSON.stringify(value)}`, (now) => operations.setField(now, key, place, value), [key]);
  },
  (chance, _, { key }) => {
    const place = pick(chance, [...PLACES, 'needs', 'with', 'outputs']);
    return gesture(`unset ${key} ${place}`, (now) => operations.setField(now, key, place, undefined), [key]);
  },
  (chance, _, { key }) => {
    const condition = pick(chance, CONDITIONS);
    return gesture(`when ${key} ${condition}`, (now) => operations.setWhen(now, key, condition), [key]);
  },
  (chance, doc, task) => {
    const other = pick(chance, siblingsOf(doc, task));
    const [output, input] = [pick(chance, ['x', 'table']), pick(chance, ['table', 'new', 'over'])];
    const replace = chance() < 0.5;
    return gesture(`connect ${task.key} ${other.key} ${input}`, (now) =>
      operations.connect(now, { task: task.key, output }, { task: other.key, input }, { replace }), replace ? [other.key] : []);
  },
  (chance, doc, task) => {
    const other = pick(chance, siblingsOf(doc, task));
    const rule = pick(chance, ['success', 'failure', 'always'] as const);
    return gesture(`order ${task.key} ${other.key} ${rule}`, (now) => operations.connectOrder(now, task.key, other.key, rule));
  },
  (chance, doc) => {
    const links = some(chance, doc.model.links, 3);
    const to = links.map((link) => link.to);
    return gesture(`disconnect ${links.map(({ id }) => id).join()}`, (now) => operations.disconnect(now, new Set(links.map(({ id }) => id))), to);
  },
  (chance, doc) => {
    const link = maybe(chance, doc.model.links.filter(({ sort }) => sort === 'order'));
    const rule = pick(chance, ['success', 'failure', 'always'] as const);
    return gesture(`rule ${link?.id ?? ''} ${rule}`, (now) => operations.setRule(now, link?.id ?? '', rule), link ? [link.to] : []);
  },
  (chance, doc, task) => {
    const keys = some(chance, siblingsOf(doc, task), 3).map(({ key }) => key);
    const name = pick(chance, NAMES);
    // Order links of single tasks become those of the group.
    return gesture(`group ${keys.join()} ${name}`, (now) => operations.group(now, keys, name), siblingsOf(doc, task).map(({ key }) => key));
  },
  (chance, doc) => {
    const scope = maybe(chance, [...doc.model.tasks.values()].filter(({ kind }) => kind === 'group'));
    return gesture(`ungroup ${scope?.key ?? ''}`, (now) => operations.ungroup(now, scope?.key ?? ''), scope ? siblingsOf(doc, scope).map(({ key }) => key).filter((key) => key !== scope.key) : []);
  },
  (chance, doc, task) => {
    const keys = some(chance, siblingsOf(doc, task), 3).map(({ key }) => key);
    return gesture(`duplicate ${keys.join()}`, (now) => operations.duplicate(now, keys));
  },
  (chance, doc, task) => {
    const keys = some(chance, siblingsOf(doc, task), 3).map(({ key }) => key);
    const scope = pick(chance, [null, ...[...doc.model.tasks.values()].filter((other) => other.scope).map(({ key }) => key)]);
    return gesture(`paste ${keys.join()} into ${scope ?? 'the pipeline'}`, (now) => operations.paste(now, operations.copy(now, keys), { x: 7, y: 8 }, scope));
  },
  (chance, doc, task) => {
    const keys = some(chance, siblingsOf(doc, task), 3).map(({ key }) => key);
    const scopes = [...doc.model.tasks.values()].filter((other) => other.scope).map(({ key }) => key);
    const scope = pick(chance, [null, ...scopes]);
    // Order links and ports of every scope on the way change.
    const loses = [...doc.model.tasks.values()].filter(({ parent }) => parent === null || scopes.includes(parent)).map(({ key }) => key);
    return gesture(`move ${keys.join()} into ${scope ?? 'the pipeline'}`, (now) => operations.moveInto(now, keys, scope), loses);
  },
  (_, __, { key }) => gesture(`move ${key}`, (now) => operations.moveTasks(now, { [key]: { x: 3, y: 4 } })),
  (chance) => {
    const value = pick(chance, VALUES);
    const place = pick(chance, ['title', 'description', 'purpose', 'defaults.timeout', 'parameters.rate.default']);
    return gesture(`head ${place} ${JSON.stringify(value)}`, (now) => operations.setHead(now, place, value));
  },
  (chance, doc) => {
    const old = maybe(chance, Object.keys(doc.model.parameters)) ?? '';
    const name = pick(chance, ['rate', 'speed', 'on']);
    return gesture(`rename parameter ${old} ${name}`, (now) => operations.renameParameter(now, old, name));
  },
  typing,
];

/** Typing into the YAML: a comment, an empty line, a title. */
function typing(chance: Chance, doc: Doc): Gesture {
  const end = doc.text.includes('\r\n') ? '\r\n' : '\n';
  const lines = doc.text.split(end);
  const starts = [...doc.model.tasks.values()].map(({ line }) => line - 1);
  const at = maybe(chance, starts) ?? 0;
  const indent = ' '.repeat(lines[at]?.search(/\S/) ?? 0);
  const isOwnLine = /^\s*[\w-]+:/.test(lines[at] ?? '');
  const typed = pick(chance, [`${indent}# typed ${Math.floor(chance() * 1e6)}`, '']);
  const text = isOwnLine && lines.length > 1 ? lines.toSpliced(at, 0, typed).join(end) : doc.text;
  return gesture(`type ${typed.trim()} in line ${at + 1}`, () => ({ text }));
}
