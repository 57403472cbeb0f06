import type { Json, JsonMap, LinkModel, Model, Parameters, Problem, Reading, TaskModel } from '../types';
import { linkId, wantedBy } from './links';
import { isMap } from './values';
import { lineAt, lineStarts } from './yaml/lines';
import { entriesOf, jsonOf, locate, type Located, type Node } from './yaml/node';
import { treeOf } from './yaml/tree';

/** Kinds that may hold tasks of their own. */
const SCOPES: ReadonlySet<string> = new Set(['group', 'map', 'pipeline']);
/** Scopes inside each other; what is deeper is refused by the server and not drawn. */
export const MOST_SCOPES = 8;

/**
 * What a text says. Never throws. `model` is null when the text is no YAML mapping, or `tasks` is none; otherwise the
 * model shows as much as can be understood. An empty text is an empty pipeline.
 */
export function read(text: string): Reading {
  const { root, problems } = treeOf(text);
  if (root === null) return { model: problems.every(isEmptiness) ? EMPTY : null, problems };
  const starts = lineStarts(text);
  const misfit = root.node.type === 'map' ? locate(root, ['tasks']) : root;
  if (misfit && misfit.node.type !== 'map' && !isNothing(misfit.node)) {
    return { model: null, problems: [...problems, noMapping(misfit, starts, misfit === root)] };
  }
  return { model: modelOf(root, starts), problems };
}

const EMPTY: Model = { name: '', title: '', parameters: {}, location: null, head: {}, tasks: new Map(), links: [] };

function isEmptiness({ code }: Problem): boolean {
  return code === 'empty-document';
}

function isNothing(node: Node): boolean {
  return node.type === 'scalar' && node.value === null;
}

function noMapping({ node, offset, entry }: Located, starts: readonly number[], isRoot: boolean): Problem {
  const place = offset + (node.type === 'scalar' || !entry ? node.start : entry.keyStart);
  const line = lineAt(starts, place);
  const message = isRoot
    ? 'A document is a mapping: begin with `schema: orchestrator/v1`, a name and tasks.'
    : "'tasks' must be a mapping (`name: …` lines): write each task below its name.";
  const column = place - (starts[line - 1] ?? 0) + 1;
  return { severity: 'error', code: 'wrong-type', path: isRoot ? '' : 'tasks', line, column, message, params: {} };
}

function modelOf(root: Located, starts: readonly number[]): Model {
  const tasks = new Map<string, TaskModel>();
  const links: LinkModel[] = [];
  const inner = locate(root, ['tasks']);
  if (inner) readScope(inner, null, 'tasks', 1, { starts, tasks, links });
  const head = rawOf(root.node);
  const { name, title, parameters, code } = head;
  return {
    name: typeof name === 'string' ? name : '',
    title: typeof title === 'string' ? title : '',
    parameters: (isMap(parameters) ? parameters : {}) as unknown as Parameters,
    location: isMap(code) && typeof code.location === 'string' ? code.location : null,
    head,
    tasks,
    links,
  };
}

interface Found {
  readonly starts: readonly number[];
  readonly tasks: Map<string, TaskModel>;
  readonly links: LinkModel[];
}

function readScope(scope: Located, parent: string | null, path: string, depth: number, found: Found): void {
  const drawn = entriesOf(scope).filter(({ node }) => node.type === 'map' || isNothing(node));
  const names = new Set(drawn.map(({ entry }) => entry?.name ?? ''));
  for (const place of drawn) {
    const task = taskOf(place, parent, path, found.starts);
    found.tasks.set(task.key, task);
    found.links.push(...linksOf(task, names));
    const inner = task.scope ? locate(place, ['tasks']) : null;
    if (inner && depth < MOST_SCOPES) readScope(inner, task.key, `${task.path}.tasks`, depth + 1, found);
  }
}

/** Tasks are the same objects as long as nothing about them changed. */
const known = new WeakMap<Node, TaskModel>();

function taskOf({ node, offset, entry }: Located, parent: string | null, path: string, starts: readonly number[]): TaskModel {
  const name = entry?.name ?? '';
  const key = parent === null ? name : `${parent}/${name}`;
  const line = lineAt(starts, offset + (entry?.keyStart ?? 0));
  const lastLine = Math.max(lineAt(starts, offset + node.end), line);
  const before = known.get(node);
  if (before?.key === key && before.line === line && before.lastLine === lastLine) return before;
  const raw = rawOf(node);
  const kind = typeof raw.kind === 'string' ? raw.kind : '';
  const title = typeof raw.title === 'string' ? raw.title : '';
  const scope = SCOPES.has(kind) && (kind !== 'pipeline' || holdsTasks(node));
  const task: TaskModel = { key, name, parent, path: `${path}.${name}`, kind, title, scope, raw, line, lastLine };
  known.set(node, task);
  return task;
}

function holdsTasks(node: Node): boolean {
  return node.type === 'map' && node.entries.has('tasks');
}

const bare = new WeakMap<Node, JsonMap>();

/** The keys of a task or of the document, as values, without `tasks`. */
function rawOf(node: Node): JsonMap {
  const before = bare.get(node);
  if (before) return before;
  const raw: Record<string, Json> = {};
  if (node.type === 'map') {
    for (const [name, entry] of node.entries) if (name !== 'tasks') raw[name] = jsonOf(entry.value);
  }
  bare.set(node, raw);
  return raw;
}

const joined = new WeakMap<TaskModel, readonly LinkModel[]>();

function linksOf(task: TaskModel, names: ReadonlySet<string>): readonly LinkModel[] {
  const wanted = wantedBy(task.raw).filter(({ from }) => names.has(from));
  const keyOf = (name: string) => (task.parent === null ? name : `${task.parent}/${name}`);
  const before = joined.get(task);
  if (before?.length === wanted.length && wanted.every((link, number) => keyOf(link.from) === before[number]?.from)) return before;
  const links = wanted.map((link): LinkModel => {
    const from = keyOf(link.from);
    return { ...link, id: linkId(task.key, link.sort, link.place, from, link.output), from, to: task.key };
  });
  joined.set(task, links);
  return links;
}
