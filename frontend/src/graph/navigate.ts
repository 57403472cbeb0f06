import { absolute } from './layout';
import type { Drawing, Place, Placement } from './types';

export type Direction = 'left' | 'right' | 'up' | 'down';

interface Spot {
  id: string;
  x: number;
  y: number;
}

type Standing = Pick<Placement, 'flow' | 'places'>;

const WAYS = { right: ['right', 'left'], down: ['down', 'up'] } as const;

/** Which box an arrow key leads to: along a link in the way of the flow, to the nearest otherwise; null at the rim. */
export function neighbour(drawing: Drawing, { flow, places }: Standing, from: string, direction: Direction): string | null {
  const parents = new Map(drawing.boxes.map((box) => [box.id, box.parent]));
  const spots = new Map(drawing.boxes.map((box) => [box.id, spotOf(box.id, absolute(box.id, parents, places))]));
  const here = spots.get(from);
  if (!here) return first(drawing, { flow, places });
  const [along, against] = WAYS[flow];
  const linked = drawing.links
    .filter((link) => (direction === along ? link.from === from : direction === against && link.to === from))
    .map((link) => spots.get(direction === along ? link.to : link.from))
    .filter((spot) => spot !== undefined);
  const choice = linked.length > 0 ? linked : [...spots.values()].filter((spot) => lies(spot, here, direction));
  return nearest(choice, here, direction)?.id ?? null;
}

/** Where arrows begin: the box at the beginning of the flow. */
export function first(drawing: Drawing, { flow, places }: Standing): string | null {
  const parents = new Map(drawing.boxes.map((box) => [box.id, box.parent]));
  const spots = drawing.boxes.map((box) => spotOf(box.id, absolute(box.id, parents, places)));
  const order = (a: Spot, b: Spot) => (flow === 'right' ? a.x - b.x || a.y - b.y : a.y - b.y || a.x - b.x);
  return spots.sort(order)[0]?.id ?? null;
}

function spotOf(id: string, place: Place): Spot {
  return { id, x: place.x + place.width / 2, y: place.y + place.height / 2 };
}

function lies(spot: Spot, here: Spot, direction: Direction): boolean {
  const dx = spot.x - here.x;
  const dy = spot.y - here.y;
  if (direction === 'left') return dx < -1 && Math.abs(dx) >= Math.abs(dy);
  if (direction === 'right') return dx > 1 && Math.abs(dx) >= Math.abs(dy);
  if (direction === 'up') return dy < -1 && Math.abs(dy) >= Math.abs(dx) / 4;
  return dy > 1 && Math.abs(dy) >= Math.abs(dx) / 4;
}

/** Straying to the side of the arrow counts three times. */
function nearest(spots: Spot[], here: Spot, direction: Direction): Spot | undefined {
  const sideways = direction === 'left' || direction === 'right';
  const cost = (spot: Spot) => {
    const dx = Math.abs(spot.x - here.x);
    const dy = Math.abs(spot.y - here.y);
    return sideways ? dx + 3 * dy : dy + 3 * dx;
  };
  return spots.sort((a, b) => cost(a) - cost(b))[0];
}
