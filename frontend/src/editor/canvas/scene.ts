import { Position, type Edge, type Node, type NodeHandle } from '@xyflow/react';
import type { Drawing, Place, Size } from '../../graph/types';
import { inScopes, placesOf, type Ground, type Spots } from '../places';
import type { Layout, LinkModel, LinkSort, Model, Note, Ports, TaskModel } from '../types';
import { same } from './same';
import { NO_LINKS, PORT_SIZE, rowOf, shownPorts, sizeOf, type Linked, type Shown } from './shown';

/*
 * What is drawn of a document. A scene keeps every node and edge of the last one in which nothing changed, so that one
 * change draws one card anew and not a thousand.
 */

/** What a card shows of the document itself. */
export interface CardFacts extends Shown, Record<string, unknown> {
  readonly name: string;
  readonly title: string;
  readonly kind: string;
  readonly queue: string;
  /** Tasks inside; null for a task that holds none. */
  readonly count: number | null;
  readonly folded: boolean;
}

export interface LinkFacts extends Record<string, unknown> {
  readonly sort: LinkSort;
  /** Said on the link; empty for the usual "after success". */
  readonly label: string;
  /** "ingest.table → train.table" */
  readonly title: string;
}

export interface NoteFacts extends Record<string, unknown> {
  readonly text: string;
}

export type CardNode = Node<CardFacts, 'card' | 'frame'>;
export type NoteNode = Node<NoteFacts, 'note'>;
export type SceneNode = CardNode | NoteNode;
export type LinkEdge = Edge<LinkFacts, 'link'>;

export interface Scene {
  readonly cards: readonly CardNode[];
  readonly notes: readonly NoteNode[];
  readonly edges: readonly LinkEdge[];
  /** Of tasks and of notes. */
  readonly places: ReadonlyMap<string, Place>;
  /** The arrow keys and the overview map go over notes too. */
  readonly drawing: Drawing;
}

export interface Wanted {
  readonly model: Model;
  readonly spots: Spots;
  readonly notes: Layout['notes'];
  readonly folded: ReadonlySet<string>;
}

/** What every card shows of its ports, from which its size follows. `opened`: tasks of which all outputs are shown. */
export function shownIn(model: Model, portsOf: (key: string) => Ports, opened: ReadonlySet<string>): ReadonlyMap<string, Shown> {
  const linked = linkedPorts(model.links);
  return new Map(
    [...model.tasks.keys()].map((key) => [key, shownPorts(portsOf(key), linked.get(key) ?? NO_LINKS, opened.has(key))]),
  );
}

export function groundOf(model: Model, shown: ReadonlyMap<string, Shown>): Ground {
  const sizes = new Map<string, Size>([...shown].map(([key, ports]) => [key, sizeOf(ports)]));
  return { tasks: model.tasks, links: model.links, sizeOf: (key) => sizes.get(key) ?? sizeOf(NOTHING) };
}

const NOTHING: Shown = { inputs: [], outputs: [], more: 0 };

/** Makes scenes, each out of what can be kept of the one before. */
export function makeScenes(): (wanted: Wanted, shown: ReadonlyMap<string, Shown>, ground: Ground) => Scene {
  let cards = new Map<string, CardNode>();
  let papers = new Map<string, NoteNode>();
  let edges = new Map<string, LinkEdge>();
  return ({ model, spots, notes, folded }, shown, ground) => {
    const hidden = hiddenIn(model.tasks, folded);
    const places = placesOf(ground, spots, folded);
    const counts = inScopes(model.tasks);
    const seen = [...model.tasks.values()].filter(({ key }) => !hidden.has(key));
    cards = kept(cards, seen.map((task) => {
      const count = task.scope ? (counts.get(task.key)?.length ?? 0) : null;
      const facts = factsOf(task, shown.get(task.key) ?? NOTHING, count, folded.has(task.key));
      return nodeOf(task, facts, places.get(task.key) ?? { x: 0, y: 0, ...sizeOf(facts) });
    }));
    const joins = model.links.filter((link) => cards.has(link.from) && cards.has(link.to));
    edges = kept(edges, joins.map((link) => edgeOf(link, model.tasks)));
    papers = kept(papers, Object.entries(notes).map(([id, note]) => paperOf(id, note)));
    return {
      cards: [...cards.values()],
      notes: [...papers.values()],
      edges: [...edges.values()],
      places: new Map([...places, ...Object.entries(notes)]),
      drawing: drawingOf([...papers.values(), ...cards.values()], joins),
    };
  };
}

function kept<Item extends { id: string }>(before: ReadonlyMap<string, Item>, now: Item[]): Map<string, Item> {
  return new Map(
    now.map((item) => {
      const old = before.get(item.id);
      return [item.id, old && same(old, item) ? old : item];
    }),
  );
}

function linkedPorts(links: readonly LinkModel[]): ReadonlyMap<string, Linked> {
  const found = new Map<string, { inputs: string[]; outputs: string[] }>();
  const note = (task: string, side: 'inputs' | 'outputs', name: string | null) => {
    const linked = found.get(task) ?? { inputs: [], outputs: [] };
    if (name !== null && !linked[side].includes(name)) linked[side].push(name);
    found.set(task, linked);
  };
  for (const { from, to, output, input } of links) {
    note(from, 'outputs', output);
    note(to, 'inputs', input);
  }
  return found;
}

/** Everything inside of a folded scope. The text has a scope before what is in it. */
function hiddenIn(tasks: Model['tasks'], folded: ReadonlySet<string>): ReadonlySet<string> {
  const hidden = new Set<string>();
  if (folded.size === 0) return hidden;
  for (const { key, parent } of tasks.values()) {
    if (parent !== null && (folded.has(parent) || hidden.has(parent))) hidden.add(key);
  }
  return hidden;
}

function factsOf(task: TaskModel, shown: Shown, count: number | null, folded: boolean): CardFacts {
  const { name, title, kind, raw } = task;
  return { ...shown, name, title, kind, queue: typeof raw.queue === 'string' ? raw.queue : '', count, folded };
}

/** Sizes and handles are given, so that nothing waits to be measured and what is off screen is never mounted. */
function nodeOf({ key, parent }: TaskModel, facts: CardFacts, { x, y, width, height }: Place): CardNode {
  const frame = facts.count !== null && !facts.folded;
  return {
    id: key,
    type: frame ? 'frame' : 'card',
    position: { x, y },
    ...(parent === null ? {} : { parentId: parent }),
    data: facts,
    width,
    height,
    measured: { width, height },
    handles: handlesOf(facts, width),
    zIndex: frame ? -1 : 0,
    ...(frame ? { dragHandle: '[data-head]' } : {}),
  };
}

function paperOf(id: string, { x, y, width, height, text }: Note): NoteNode {
  const size = { width, height };
  return { id, type: 'note', position: { x, y }, data: { text }, ...size, measured: size, handles: [], zIndex: -2 };
}

function handlesOf({ inputs, outputs }: Shown, width: number): NodeHandle[] {
  const half = PORT_SIZE / 2;
  const handle = (type: 'source' | 'target', name: string | null, at: number | 'order'): NodeHandle => ({
    id: name ?? '',
    type,
    position: type === 'target' ? Position.Left : Position.Right,
    x: (type === 'target' ? 0 : width) - half,
    y: rowOf(at) - half,
    width: PORT_SIZE,
    height: PORT_SIZE,
  });
  return [
    handle('target', null, 'order'),
    handle('source', null, 'order'),
    ...inputs.map(({ name }, at) => handle('target', name, at)),
    ...outputs.map(({ name }, at) => handle('source', name, at)),
  ];
}

function edgeOf({ id, sort, from, to, output, input, rule }: LinkModel, tasks: Model['tasks']): LinkEdge {
  const names = [tasks.get(from)?.name ?? from, tasks.get(to)?.name ?? to];
  const [start, end] = [[names[0], output], [names[1], input]].map((parts) => parts.filter(Boolean).join('.'));
  return {
    id,
    type: 'link',
    source: from,
    target: to,
    sourceHandle: output ?? '',
    targetHandle: input ?? '',
    data: { sort, label: labelOf(sort, rule, tasks.get(to)), title: `${start ?? from} → ${end ?? to}` },
    focusable: false,
    zIndex: 0,
  };
}

const RULE_WORDS = { success: '', failure: 'on failure', always: 'always' } as const;
const LONGEST_WHEN = 32;

function labelOf(sort: LinkSort, rule: LinkModel['rule'], target: TaskModel | undefined): string {
  if (sort !== 'condition') return RULE_WORDS[rule];
  const when = typeof target?.raw.when === 'string' ? target.raw.when : '…';
  return `when ${when.length > LONGEST_WHEN ? `${when.slice(0, LONGEST_WHEN)}…` : when}`;
}

function drawingOf(nodes: readonly SceneNode[], links: readonly LinkModel[]): Drawing {
  return {
    boxes: nodes.map(({ id, parentId, type }) => ({ id, parent: parentId ?? null, frame: type === 'frame' })),
    links: links.map(({ id, from, to }) => ({ id, from, to, label: '' })),
  };
}
