import { FRAME } from '../../graph/layout';
import { snapped } from '../../graph/align';
import type { Place } from '../../graph/types';
import type { AddRequest } from '../adding';
import { freePlace, wholePlace } from '../places';
import type { EditorState, EditorStore } from '../store';
import type { Model, Spot } from '../types';
import { CARD_WIDTH } from './shown';
import { canvasOf } from './state';

/* From points of the drawing to scopes and spots in them. */

type Places = ReadonlyMap<string, Place>;

/** The innermost open scope whose frame holds a point of the drawing, and the point within it. */
export function scopeAt(point: Spot, { tasks }: Model, places: Places, folded: ReadonlySet<string>): { scope: string | null; spot: Spot } {
  let found: { scope: string | null; spot: Spot } = { scope: null, spot: snapped(point) };
  for (const task of tasks.values()) {
    if (!task.scope || folded.has(task.key) || !places.has(task.key)) continue;
    const { x, y, width, height } = wholePlace(task.key, tasks, places);
    const inside = point.x >= x && point.x <= x + width && point.y >= y && point.y <= y + height;
    if (inside) found = { scope: task.key, spot: within({ x: point.x - x, y: point.y - y }) };
  }
  return found;
}

/** A spot inside of a frame: below its head. */
function within({ x, y }: Spot): Spot {
  return snapped({ x: Math.max(FRAME.side, x), y: Math.max(FRAME.top, y) });
}

/** A request for a task between the two ends of a link; null when the link is gone. */
export function between({ doc }: Pick<EditorState, 'doc'>, id: string, point: Spot): AddRequest | null {
  const link = doc.model.links.find((each) => each.id === id);
  if (!link) return null;
  const [up, down] = [doc.layout.tasks[link.from], doc.layout.tasks[link.to]];
  const spot = up && down ? snapped({ x: (up.x + down.x) / 2, y: (up.y + down.y) / 2 + 96 }) : null;
  return {
    point,
    scope: doc.model.tasks.get(link.from)?.parent ?? null,
    spot,
    from: { task: link.from, port: link.output },
    to: { task: link.to, port: link.input },
    replaces: id,
  };
}

/** Free room in the middle of what is seen, for a task of the pipeline itself that is linked with nothing. */
export function spotInView(editor: EditorStore, { scope, from, to }: AddRequest): Spot | null {
  const { camera, scene } = canvasOf(editor).getState();
  if (!camera || !scene || scope !== null || from !== null || to !== null) return null;
  const outer = scene.drawing.boxes.filter(({ parent }) => parent === null);
  const placed = new Map(outer.flatMap(({ id }) => { const place = scene.places.get(id); return place ? [[id, place]] : []; }));
  const { x, y } = freePlace({ width: CARD_WIDTH, height: 64 }, cornerOf(camera.centre()), placed);
  return { x, y };
}

/** The middle of a new card at a point becomes its corner. */
export function cornerOf({ x, y }: Spot): Spot {
  return { x: x - CARD_WIDTH / 2, y: y - 32 };
}

