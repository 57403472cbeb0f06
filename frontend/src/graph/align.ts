import type { Place, Point } from './types';

/** Aligning and spreading boxes of one scope. Pure; what stays where it is is left out of the answer. */

export type Side = 'left' | 'centre' | 'right' | 'top' | 'middle' | 'bottom';
export type Axis = 'across' | 'down';

export const GRID = 8;

export function snapped({ x, y }: Point): Point {
  return { x: Math.round(x / GRID) * GRID, y: Math.round(y / GRID) * GRID };
}

type Boxes = ReadonlyMap<string, Place>;
type Spots = Map<string, Point>;

/** Puts one side of all boxes on the line of the outermost one, or their middles on the middle of them all. */
export function aligned(boxes: Boxes, side: Side): Spots {
  const { left, top, right, bottom } = around(boxes);
  const spot: Record<Side, (box: Place) => Point> = {
    left: ({ y }) => ({ x: left, y }),
    centre: ({ y, width }) => ({ x: Math.round((left + right - width) / 2), y }),
    right: ({ y, width }) => ({ x: right - width, y }),
    top: ({ x }) => ({ x, y: top }),
    middle: ({ x, height }) => ({ x, y: Math.round((top + bottom - height) / 2) }),
    bottom: ({ x, height }) => ({ x, y: bottom - height }),
  };
  return changed(boxes, new Map([...boxes].map(([id, box]) => [id, spot[side](box)])));
}

/** Makes the gaps between neighbours equal; the first and the last stay. Fewer than three boxes have one gap at most. */
export function distributed(boxes: Boxes, axis: Axis): Spots {
  const [start, length] = axis === 'across' ? (['x', 'width'] as const) : (['y', 'height'] as const);
  const row = [...boxes].sort(([, a], [, b]) => a[start] - b[start]);
  const [first, last] = [row[0], row.at(-1)];
  if (row.length < 3 || !first || !last) return new Map();
  const taken = row.reduce((sum, [, box]) => sum + box[length], 0);
  const gap = (last[1][start] + last[1][length] - first[1][start] - taken) / (row.length - 1);
  let at = first[1][start];
  const spots: Spots = new Map();
  for (const [id, box] of row) {
    spots.set(id, { x: box.x, y: box.y, [start]: Math.round(at) });
    at += box[length] + gap;
  }
  return changed(boxes, spots);
}

interface Bounds {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

export function around(boxes: Boxes): Bounds {
  const bounds = { left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity };
  for (const { x, y, width, height } of boxes.values()) {
    bounds.left = Math.min(bounds.left, x);
    bounds.top = Math.min(bounds.top, y);
    bounds.right = Math.max(bounds.right, x + width);
    bounds.bottom = Math.max(bounds.bottom, y + height);
  }
  return bounds;
}

function changed(boxes: Boxes, spots: Spots): Spots {
  return new Map([...spots].filter(([id, { x, y }]) => boxes.get(id)?.x !== x || boxes.get(id)?.y !== y));
}
