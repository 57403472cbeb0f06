import dagre from '@dagrejs/dagre';
import type { Box, Drawing, Link, Place, Placement } from './types';

export const CARD = { width: 208, height: 64 } as const;
export const FRAME = { side: 16, top: 40, bottom: 16 } as const;
const GAP = { rank: 48, box: 16 } as const;
/** dagre's best ranking is cubic in the worst case; beyond this many boxes of one scope the quick one is used. */
const QUICK_BEYOND = 100;

interface Scope {
  boxes: Box[];
  links: Link[];
}

/**
 * Places every box, scope by scope from the inside out, left to right along the links.
 * The same drawing always gives the same placement. Links between boxes of different scopes are ignored.
 */
export function layout(drawing: Drawing): Placement {
  const places = new Map<string, Place>();
  placeScope(null, scopesOf(drawing), places);
  return places;
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
function placeScope(
  id: string | null,
  scopes: Map<string | null, Scope>,
  places: Map<string, Place>,
): { width: number; height: number } {
  const scope = scopes.get(id) ?? { boxes: [], links: [] };
  const sizes = new Map(scope.boxes.map((box) => [box.id, box.frame ? frameSize(box, scopes, places) : CARD]));
  const origin = id === null ? { x: 0, y: 0 } : { x: FRAME.side, y: FRAME.top };
  let width = 0;
  let height = 0;
  for (const [boxId, place] of arrange(scope, sizes)) {
    places.set(boxId, { ...place, x: place.x + origin.x, y: place.y + origin.y });
    width = Math.max(width, place.x + place.width);
    height = Math.max(height, place.y + place.height);
  }
  return { width, height };
}

function frameSize(box: Box, scopes: Map<string | null, Scope>, places: Map<string, Place>) {
  const inner = placeScope(box.id, scopes, places);
  return {
    width: Math.max(CARD.width, inner.width) + 2 * FRAME.side,
    height: Math.max(CARD.height, inner.height) + FRAME.top + FRAME.bottom,
  };
}

function arrange(scope: Scope, sizes: Map<string, { width: number; height: number }>): Map<string, Place> {
  const graph = new dagre.graphlib.Graph();
  graph.setGraph({
    rankdir: 'LR',
    ranksep: GAP.rank,
    nodesep: GAP.box,
    ranker: scope.boxes.length > QUICK_BEYOND ? 'longest-path' : 'network-simplex',
  });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const box of scope.boxes) graph.setNode(box.id, { ...(sizes.get(box.id) ?? CARD) });
  for (const link of scope.links) graph.setEdge(link.from, link.to);
  dagre.layout(graph);
  const places = new Map<string, Place>();
  for (const box of scope.boxes) {
    const { x, y, width, height } = graph.node(box.id) as Place;
    places.set(box.id, { x: Math.round(x - width / 2), y: Math.round(y - height / 2), width, height });
  }
  return places;
}

/** Where a box stands on the whole drawing, not within its parent. */
export function absolute(id: string, parents: ReadonlyMap<string, string | null>, places: Placement): Place {
  const own = places.get(id) ?? { x: 0, y: 0, ...CARD };
  const parent = parents.get(id) ?? null;
  if (parent === null) return own;
  const outer = absolute(parent, parents, places);
  return { ...own, x: own.x + outer.x, y: own.y + outer.y };
}
