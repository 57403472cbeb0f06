import { CARD, FRAME, framed } from './layout';
import type { Box, Drawing, Place, Placement, Point, Size } from './types';

/*
 * A drawing as it was drawn in the editor: a version keeps the spots of its tasks, relative to the scope that holds them.
 * Cards in the editor are as wide as here and at least as high, so that what stood apart there does here.
 */

/** As it came from the server: whatever somebody once put there. */
type Stored = Readonly<Record<string, unknown>>;

/** The placement that is stored with a version; null when any of its tasks has no spot there. */
export function drawnPlacement({ boxes }: Drawing, { tasks }: Stored): Placement | null {
  if (boxes.length === 0) return null;
  const spots = new Map(boxes.map(({ id }) => [id, spotIn(tasks, id)]));
  const inner = new Map<string | null, Box[]>();
  for (const box of boxes) inner.set(box.parent, [...(inner.get(box.parent) ?? []), box]);
  const places = new Map<string, Place>();
  const placeScope = (scope: readonly Box[], corner: Point): Size | null => {
    let [width, height] = [0, 0];
    for (const { id, frame } of scope) {
      const spot = spots.get(id);
      const content = frame ? placeScope(inner.get(id) ?? [], { x: FRAME.side, y: FRAME.top }) : null;
      if (!spot || (frame && content === null)) return null;
      const size = content === null ? CARD : framed(content);
      places.set(id, { x: spot.x, y: spot.y, ...size });
      width = Math.max(width, spot.x + size.width - corner.x);
      height = Math.max(height, spot.y + size.height - corner.y);
    }
    return { width, height };
  };
  const outer = inner.get(null) ?? [];
  const corner = cornerOf(outer, spots);
  const size = placeScope(outer, corner);
  if (size === null) return null;
  for (const { id } of outer) {
    const place = places.get(id);
    if (place) places.set(id, { ...place, x: place.x - corner.x, y: place.y - corner.y });
  }
  return { flow: 'right', places, routes: new Map(), ...size };
}

function spotIn(tasks: unknown, id: string): Point | null {
  const spot = isMap(tasks) && Object.hasOwn(tasks, id) ? tasks[id] : undefined;
  if (!isMap(spot)) return null;
  const { x, y } = spot;
  return typeof x === 'number' && typeof y === 'number' ? { x, y } : null;
}

function isMap(value: unknown): value is Stored {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function cornerOf(boxes: readonly Box[], spots: ReadonlyMap<string, Point | null>): Point {
  const standing = boxes.flatMap(({ id }) => spots.get(id) ?? []);
  return { x: Math.min(...standing.map(({ x }) => x)), y: Math.min(...standing.map(({ y }) => y)) };
}
