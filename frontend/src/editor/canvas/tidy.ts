import { FRAME } from '../../graph/layout';
import { around, snapped } from '../../graph/align';
import type { Drawing, Place, Placement } from '../../graph/types';
import type { Spot } from '../types';
import type { Scene } from './scene';
import { sizeOf } from './shown';

/* Tidying: a layout of everything, or of chosen tasks around where they stand. Pure. */

/** What is to be laid out, scope by scope; of a selection, frames keep what is inside of them as it is. */
export function drawingsOf({ cards, drawing, places }: Scene, selection: ReadonlySet<string> | null): Drawing[] {
  if (selection === null) {
    const facts = new Map(cards.map((node) => [node.id, node.data]));
    const boxes = drawing.boxes.flatMap((box) => {
      const shown = facts.get(box.id);
      return shown ? [{ ...box, size: sizeOf(shown) }] : [];
    });
    return [{ ...drawing, boxes }];
  }
  const scopes = new Set(drawing.boxes.filter(({ id }) => selection.has(id)).map(({ parent }) => parent));
  return [...scopes].map((scope) => {
    const chosen = drawing.boxes.filter((box) => box.parent === scope && selection.has(box.id));
    const inside = new Set(chosen.map(({ id }) => id));
    return {
      boxes: chosen.map(({ id }) => ({ id, parent: null, frame: false, size: places.get(id) ?? sizeOf(NOTHING) })),
      links: drawing.links.filter(({ from, to }) => inside.has(from) && inside.has(to)),
    };
  });
}

const NOTHING = { inputs: [], outputs: [], more: 0 };

/** The spots that a layout gives; those of a selection begin where its corner was. */
export function tidied(placement: Placement, { boxes }: Drawing, { places }: Scene, whole: boolean): Record<string, Spot> {
  const corner = whole ? { x: 0, y: 0 } : cornerOf(boxes.map(({ id }) => places.get(id)));
  return Object.fromEntries(
    boxes.flatMap(({ id, parent }) => {
      const place = placement.places.get(id);
      if (!place) return [];
      const spot = parent === null ? { x: place.x + corner.x, y: place.y + corner.y } : place;
      return [[id, snapped(parent === null ? spot : { x: Math.max(FRAME.side, spot.x), y: Math.max(FRAME.top, spot.y) })]];
    }),
  );
}

function cornerOf(places: (Place | undefined)[]): Spot {
  const standing = places.filter((place) => place !== undefined);
  if (standing.length === 0) return { x: 0, y: 0 };
  const { left, top } = around(new Map(standing.map((place, at) => [String(at), place])));
  return { x: left, y: top };
}
