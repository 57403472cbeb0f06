import { applyChanges } from '../document/splice/change';
import type { Doc, Edit } from '../types';
import { textOf, type Clash, type Side } from './values';

/** Puts the value of one side back at a clash; the whole text when the texts could not be joined. */
export function restored(doc: Doc, { path, ...values }: Clash, side: Side): Edit {
  const value = values[side];
  if (path.length === 0) return { text: textOf(value) };
  return { text: applyChanges(doc.text, [value === undefined ? { path, remove: true } : { path, set: value }]) };
}
