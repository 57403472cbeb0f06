import type { Json, JsonMap, Layout, Note, Spot } from './types';

/* What lies beside a text on the server. Whatever somebody once put there is read as far as it makes sense. */

const isMap = (value: unknown): value is JsonMap => typeof value === 'object' && value !== null && !Array.isArray(value);
const isLength = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);

function readSpot(value: Json): Spot | null {
  return isMap(value) && isLength(value.x) && isLength(value.y) ? { x: value.x, y: value.y } : null;
}

function readNote(value: Json): Note | null {
  if (!isMap(value)) return null;
  const { x, y, width, height, text } = value;
  if (!isLength(x) || !isLength(y) || !isLength(width) || !isLength(height) || typeof text !== 'string') return null;
  return { x, y, width, height, text };
}

function readAll<T>(value: Json | undefined, readOne: (value: Json) => T | null): Record<string, T> {
  if (!isMap(value)) return {};
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, each]) => {
      const one = readOne(each);
      return one === null ? [] : [[key, one]];
    }),
  );
}

/** The layout in what is stored; what is of another shape is left out, and its tasks are laid out. */
export function readLayout(stored: JsonMap): Layout {
  return { tasks: readAll(stored.tasks, readSpot), notes: readAll(stored.notes, readNote) };
}

export function storedLayout(layout: Layout): JsonMap {
  return { tasks: { ...layout.tasks }, notes: { ...layout.notes } } as unknown as JsonMap;
}
