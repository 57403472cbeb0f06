import type { Doc, Problem } from './types';

/** Why nothing of a document can be shown: its text cannot be read, and never could since it was opened. Null when something can. */
export function unreadable({ broken: [first], model }: Doc): Problem | null {
  const known = model.tasks.size > 0 || Object.keys(model.head).length > 0;
  return known ? null : (first ?? null);
}
