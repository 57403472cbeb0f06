import { absolute, CARD, FRAME, framed, layout } from '../graph/layout';
import { snapped } from '../graph/align';
import type { Box, Drawing, Place, Placement, Size } from '../graph/types';
import type { Doc, Layout, LinkModel, Spot, TaskModel } from './types';

/*
 * Where cards are. A task with a spot stands there; a scope without any spots is laid out; a single task without one
 * is put where its links suggest and nothing is. Nothing that has a spot ever moves by itself.
 */

export type Spots = Readonly<Record<string, Spot>>;

export interface Ground {
  readonly tasks: ReadonlyMap<string, TaskModel>;
  readonly links: readonly LinkModel[];
  /** How large a card is drawn, and a frame at least. */
  readonly sizeOf: (key: string) => Size;
}

const GAP = { x: 48, y: 24 };

/** The scopes in which nothing has a spot yet, as a drawing for `layout`; null when there are none. */
export function unsettled({ tasks, links, sizeOf }: Ground, spots: Spots): Drawing | null {
  const settledScopes = new Set<string | null>();
  for (const task of tasks.values()) if (task.key in spots) settledScopes.add(task.parent);
  const open = [...tasks.values()].filter((task) => !settledScopes.has(task.parent));
  if (open.length === 0) return null;
  const inside = new Set(open.map((task) => task.key));
  const boxes = open.map((task): Box => ({
    id: task.key,
    parent: task.parent !== null && inside.has(task.parent) ? task.parent : null,
    frame: task.scope && !settledScopes.has(task.key),
    size: sizeOf(task.key),
  }));
  const drawn = links.filter(({ from, to }) => inside.has(from) && inside.has(to));
  return { boxes, links: drawn.map(({ id, from, to }) => ({ id, from, to, label: '' })) };
}

/** The spots that a layout gives, relative to the scope; those of a scope that stands in a settled one begin at its corner. */
export function spotsIn({ places }: Pick<Placement, 'places'>, drawing: Drawing, tasks: Ground['tasks']): Spots {
  const spots: Record<string, Spot> = {};
  for (const { id, parent } of drawing.boxes) {
    const place = places.get(id);
    if (!place) continue;
    const inner = parent === null && tasks.get(id)?.parent !== null;
    spots[id] = snapped(inner ? { x: place.x + FRAME.side, y: place.y + FRAME.top } : place);
  }
  return spots;
}

/** Where every card and frame stands, relative to the scope that holds it. */
export function placesOf(ground: Ground, spots: Spots, folded: ReadonlySet<string>): ReadonlyMap<string, Place> {
  const inner = inScopes(ground.tasks);
  const places = new Map<string, Place>();
  const placeScope = (scope: string | null): Size => {
    const sizes = new Map<string, Size>();
    for (const task of inner.get(scope) ?? []) {
      const least = ground.sizeOf(task.key);
      const content = task.scope ? placeScope(task.key) : null;
      sizes.set(task.key, content === null || folded.has(task.key) ? least : framed(content, least));
    }
    const placed = standing(sizes, spots, scope, ground.links);
    let [width, height] = [0, 0];
    for (const [key, place] of placed) {
      places.set(key, place);
      width = Math.max(width, place.x + place.width);
      height = Math.max(height, place.y + place.height);
    }
    return scope === null ? { width, height } : { width: width - FRAME.side, height: height - FRAME.top };
  };
  placeScope(null);
  return places;
}

/** Tasks by the scope that holds them. */
export function inScopes(tasks: Ground['tasks']): ReadonlyMap<string | null, readonly TaskModel[]> {
  const scopes = new Map<string | null, TaskModel[]>();
  for (const task of tasks.values()) {
    const scope = scopes.get(task.parent);
    if (scope) scope.push(task);
    else scopes.set(task.parent, [task]);
  }
  return scopes;
}

/** The boxes of one scope: those with a spot first, then the others around them, in the order of the text. */
function standing(sizes: ReadonlyMap<string, Size>, spots: Spots, scope: string | null, links: readonly LinkModel[]) {
  const placed = new Map<string, Place>();
  const others: string[] = [];
  for (const [key, size] of sizes) {
    const spot = spots[key];
    if (spot) placed.set(key, { ...spot, ...size });
    else others.push(key);
  }
  for (const key of others) placed.set(key, freePlace(sizes.get(key) ?? CARD, wanted(key, placed, scope, links), placed));
  return placed;
}

/** To the right of what it waits for, to the left of what waits for it, or below all. */
function wanted(key: string, placed: ReadonlyMap<string, Place>, scope: string | null, links: readonly LinkModel[]): Spot {
  const before = links.filter((link) => link.to === key).flatMap((link) => placed.get(link.from) ?? []);
  const last = before.toSorted((a, b) => b.x + b.width - (a.x + a.width))[0];
  if (last) return { x: last.x + last.width + GAP.x, y: last.y };
  const after = links.filter((link) => link.from === key).flatMap((link) => placed.get(link.to) ?? []);
  const first = after.toSorted((a, b) => a.x - b.x)[0];
  if (first && scope === null) return { x: first.x - CARD.width - GAP.x, y: first.y };
  const corner = scope === null ? { x: 0, y: 0 } : { x: FRAME.side, y: FRAME.top };
  const all = [...placed.values()];
  if (all.length === 0) return corner;
  return {
    x: Math.min(...all.map(({ x }) => x)),
    y: Math.max(...all.map(({ y, height }) => y + height)) + GAP.y,
  };
}

/** The nearest place below a spot where nothing stands. */
export function freePlace(size: Size, spot: Spot, placed: ReadonlyMap<string, Place>): Place {
  const place = { ...snapped(spot), ...size };
  const column = [...placed.values()].filter((other) => place.x < other.x + other.width && other.x < place.x + size.width);
  for (const other of column.toSorted((a, b) => a.y - b.y)) {
    if (place.y < other.y + other.height && other.y < place.y + size.height) place.y = other.y + other.height + GAP.y;
  }
  return place;
}

// --- what is shown stays ----------------------------------------------------------------------------------

/** By document: the spots that were drawn for tasks without one of their own. */
const drawn = new WeakMap<Doc, Spots>();

/** Remembers what a person sees of a document, so that the next edit keeps it. */
export function keepDrawn(doc: Doc, places: ReadonlyMap<string, Place>): void {
  const spots: Record<string, Spot> = {};
  let some = false;
  for (const [key, { x, y }] of places) {
    if (key in doc.layout.tasks || !doc.model.tasks.has(key)) continue;
    spots[key] = { x, y };
    some = true;
  }
  if (some) drawn.set(doc, spots);
}

/** The layout with a spot for all that was drawn: nothing moves by itself when the document is changed. */
export function settled(doc: Doc): Layout {
  const spots = drawn.get(doc);
  return spots ? { ...doc.layout, tasks: { ...spots, ...doc.layout.tasks } } : doc.layout;
}

/** Where a box stands on the whole drawing. */
export function wholePlace(key: string, tasks: Ground['tasks'], places: ReadonlyMap<string, Place>): Place {
  return absolute(key, parentsOf(tasks), places);
}

const parentsKnown = new WeakMap<Ground['tasks'], ReadonlyMap<string, string | null>>();

export function parentsOf(tasks: Ground['tasks']): ReadonlyMap<string, string | null> {
  const found = parentsKnown.get(tasks) ?? new Map([...tasks.values()].map((task) => [task.key, task.parent]));
  parentsKnown.set(tasks, found);
  return found;
}

/** A layout of everything in one drawing. */
export function laidOut(drawing: Drawing, tasks: Ground['tasks']): Spots {
  return spotsIn(layout(drawing), drawing, tasks);
}
