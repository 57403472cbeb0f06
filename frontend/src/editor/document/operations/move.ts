import type { Doc, Edit, Note, Spot } from '../../types';
import { without } from '../values';

/* What lies beside the text: places of cards, notes on the canvas. */

/** Cards stand somewhere else. */
export function moveTasks({ layout, model }: Doc, spots: Readonly<Record<string, Spot>>): Edit {
  const known = Object.entries(spots).filter(([key]) => model.tasks.has(key));
  return { layout: { ...layout, tasks: { ...layout.tasks, ...Object.fromEntries(known) } } };
}

/** A note is written, moved or, with null, thrown away. */
export function setNote({ layout }: Doc, id: string, note: Note | null): Edit {
  const others = without(layout.notes, id);
  return { layout: { ...layout, notes: note ? { ...others, [id]: note } : others } };
}
