import type { Flow, Point, Route } from './types';

/** Half the length of a bend: it stays within the gap between two ranks. */
const BEND = 20;

/**
 * The SVG path of a link: it changes its lane only in the gaps between ranks and goes straight past the boxes of
 * every rank that it crosses. Without a route it is one bend half way, or goes freely from card to card.
 */
export function pathOf(flow: Flow, from: Point, route: Route | undefined, to: Point): string {
  if (!route && flow === 'right') return freePathOf(from, to);
  const turned = flow === 'right' ? (point: Point) => point : ({ x, y }: Point) => ({ x: y, y: x });
  const start = turned(from);
  const end = turned(to);
  const gaps = route?.gaps ?? [(start.x + end.x) / 2];
  const lanes = [...(route?.lanes ?? []), end.y];
  const spot = (x: number, y: number) => {
    const point = turned({ x, y });
    return `${round(point.x)},${round(point.y)}`;
  };
  let lane = start.y;
  let path = `M${spot(start.x, start.y)}`;
  gaps.forEach((gap, at) => {
    const next = lanes[at] ?? end.y;
    path += `L${spot(gap - BEND, lane)}C${spot(gap, lane)} ${spot(gap, next)} ${spot(gap + BEND, next)}`;
    lane = next;
  });
  return `${path}L${spot(end.x, end.y)}`;
}

/** The SVG path between two ports of cards that stand anywhere: out to the right, in from the left. */
export function freePathOf(from: Point, to: Point): string {
  const reach = Math.max(24, to.x > from.x ? (to.x - from.x) / 2 : Math.min(160, (from.x - to.x) / 4 + 32));
  const spots = [from, { x: from.x + reach, y: from.y }, { x: to.x - reach, y: to.y }, to];
  const [start, ...bend] = spots.map(({ x, y }) => `${round(x)},${round(y)}`);
  return `M${start ?? ''}C${bend.join(' ')}`;
}

/** Where a label stands: in the first gap, half way between the lanes. */
export function labelSpot(flow: Flow, from: Point, route: Route | undefined, to: Point): Point {
  const gap = route?.gaps[0];
  if (gap === undefined) return { x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 };
  const [start, end] = flow === 'right' ? [from.y, to.y] : [from.x, to.x];
  const middle = (start + (route?.lanes[0] ?? end)) / 2;
  return flow === 'right' ? { x: gap, y: middle } : { x: middle, y: gap };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
