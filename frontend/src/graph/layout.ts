import { layered } from './layered/layered';
import type { Box, Drawing, Flow, Link, Place, Placement, Places, Point, Route, Size } from './types';

export const CARD = { width: 208, height: 64 } as const;
export const FRAME = { side: 16, top: 40, bottom: 16 } as const;
/** Larger drawings flow right without trying the other way. */
const QUICK_BEYOND = 100;

interface Scope {
  boxes: Box[];
  links: Link[];
}

interface Work {
  flow: Flow;
  scopes: Map<string | null, Scope>;
  places: Map<string, Place>;
  /** Relative to the corner of the scope, whose id is kept to make them absolute later. */
  routes: Map<string, { scope: string | null; route: Route }>;
}

/**
 * Places every box, scope by scope from the inside out. The same drawing always gives the same placement.
 * Links between boxes of different scopes are ignored.
 */
export function layout(drawing: Drawing, flow: Flow = 'right'): Placement {
  const work: Work = { flow, scopes: scopesOf(drawing), places: new Map(), routes: new Map() };
  const size = placeScope(null, work);
  const parents = new Map(drawing.boxes.map((box) => [box.id, box.parent]));
  const routes = new Map(
    [...work.routes].map(([id, { scope, route }]) => [
      id,
      scope === null ? route : moved(route, absolute(scope, parents, work.places), flow),
    ]),
  );
  return { flow, places: work.places, routes, ...size };
}

/** The flow that shows a drawing larger on a canvas of this shape (width / height). Large drawings flow right. */
export function layoutFor(drawing: Drawing, shape: number): Placement {
  const right = layout(drawing, 'right');
  if (drawing.boxes.length > QUICK_BEYOND) return right;
  const down = layout(drawing, 'down');
  return zoomOf(down, shape) > zoomOf(right, shape) * 1.15 ? down : right;
}

/** The same for a canvas of a known size, within which the drawing has this much free space around it. */
export function layoutIn(drawing: Drawing, box: Size, around: number): Placement {
  const right = layout(drawing, 'right');
  if (drawing.boxes.length > QUICK_BEYOND) return right;
  const down = layout(drawing, 'down');
  return zoomIn(down, box, around) > zoomIn(right, box, around) ? down : right;
}

/** The zoom at which all of a drawing is in a view, never above its own size. */
export function zoomIn({ width, height }: Size, view: Size, around: number): number {
  return Math.min((view.width - 2 * around) / width, (view.height - 2 * around) / height, 1);
}

/** A canvas is about eleven cards high; what fits into that is shown in its own size either way. */
const CANVAS_HEIGHT = 11 * CARD.height;

/** How large a placement can be shown on a canvas of this shape. */
function zoomOf({ width, height }: Size, shape: number): number {
  return Math.min((shape * CANVAS_HEIGHT) / width, CANVAS_HEIGHT / height, 1);
}

function scopesOf({ boxes, links }: Drawing): Map<string | null, Scope> {
  const scopes = new Map<string | null, Scope>();
  const parents = new Map(boxes.map((box) => [box.id, box.parent]));
  for (const box of boxes) {
    const scope = scopes.get(box.parent) ?? { boxes: [], links: [] };
    scope.boxes.push(box);
    scopes.set(box.parent, scope);
  }
  for (const link of links) {
    const parent = parents.get(link.from);
    if (parent !== undefined && parent === parents.get(link.to)) scopes.get(parent)?.links.push(link);
  }
  return scopes;
}

/** Places the boxes of one scope and answers how large they are together. */
function placeScope(id: string | null, work: Work): Size {
  const scope = work.scopes.get(id) ?? { boxes: [], links: [] };
  const sizes = new Map(scope.boxes.map((box) => [box.id, box.frame ? frameSize(box, work) : (box.size ?? CARD)]));
  const origin = id === null ? { x: 0, y: 0 } : { x: FRAME.side, y: FRAME.top };
  const shift = (point: Point) => ({ x: point.x + origin.x, y: point.y + origin.y });
  const { places, routes } = arrange(scope, sizes, work.flow);
  let width = 0;
  let height = 0;
  for (const [boxId, place] of places) {
    work.places.set(boxId, { ...place, ...shift(place) });
    width = Math.max(width, place.x + place.width);
    height = Math.max(height, place.y + place.height);
  }
  for (const [linkId, route] of routes) work.routes.set(linkId, { scope: id, route: moved(route, origin, work.flow) });
  return { width, height };
}

function frameSize(box: Box, work: Work): Size {
  const inner = placeScope(box.id, work);
  return framed(inner, box.size);
}

/** The size of a frame around content of this size. */
export function framed(inner: Size, least: Size = { width: 0, height: 0 }): Size {
  return {
    width: Math.max(CARD.width + 2 * FRAME.side, inner.width + 2 * FRAME.side, least.width),
    height: Math.max(CARD.height + FRAME.top + FRAME.bottom, inner.height + FRAME.top + FRAME.bottom, least.height),
  };
}

/** Places one scope. To flow down is to flow right with both axes turned. */
function arrange(scope: Scope, sizes: Map<string, Size>, flow: Flow) {
  const turned = ({ width, height }: Size) => (flow === 'right' ? { width, height } : { width: height, height: width });
  const numbers = new Map(scope.boxes.map((box, at) => [box.id, at]));
  const edges = scope.links.map(({ from, to }) => [numbers.get(from) ?? 0, numbers.get(to) ?? 0] as const);
  const sizeOf = ({ id }: Box) => sizes.get(id) ?? CARD;
  const laid = layered(scope.boxes.map((box) => turned(sizeOf(box))), edges);
  const places = new Map<string, Place>();
  scope.boxes.forEach((box, at) => {
    const { x, y } = laid.boxes[at] ?? { x: 0, y: 0 };
    places.set(box.id, { ...(flow === 'right' ? { x, y } : { x: y, y: x }), ...sizeOf(box) });
  });
  const routes = new Map<string, Route>();
  scope.links.forEach((link, at) => {
    const route = laid.links[at];
    if (route) routes.set(link.id, route);
  });
  return { places, routes };
}

function moved({ gaps, lanes }: Route, by: Point, flow: Flow): Route {
  const [along, across] = flow === 'right' ? [by.x, by.y] : [by.y, by.x];
  return { gaps: gaps.map((gap) => gap + along), lanes: lanes.map((lane) => lane + across) };
}

/** Where a box stands on the whole drawing, not within its parent. */
export function absolute(id: string, parents: ReadonlyMap<string, string | null>, places: Places): Place {
  const own = places.get(id) ?? { x: 0, y: 0, ...CARD };
  const parent = parents.get(id) ?? null;
  if (parent === null) return own;
  const outer = absolute(parent, parents, places);
  return { ...own, x: own.x + outer.x, y: own.y + outer.y };
}
