import type { View } from './store';

/* What the addresses of editor and comparison may carry. */

export interface EditorSearch {
  view?: View | undefined;
  /** Key of the task whose panel is open. */
  task?: string | undefined;
  panel?: 'history' | 'problems' | undefined;
}

/** A version by its number, or the draft. */
export type Side = number | 'draft';

export interface ComparisonSearch {
  from?: Side | undefined;
  to?: Side | undefined;
  /** The lines instead of the graph. */
  view?: 'text' | undefined;
}

type Raw = Record<string, unknown>;

function oneOf<Word extends string>(value: unknown, words: readonly Word[]): Word | undefined {
  return words.find((word) => word === value);
}

export function parseEditorSearch(raw: Raw): EditorSearch {
  return {
    view: oneOf(raw.view, ['canvas', 'split', 'yaml']),
    task: typeof raw.task === 'string' && raw.task !== '' ? raw.task : undefined,
    panel: oneOf(raw.panel, ['history', 'problems']),
  };
}

function sideOf(value: unknown): Side | undefined {
  if (value === 'draft') return value;
  return Number.isInteger(value) && Number(value) > 0 ? Number(value) : undefined;
}

export function parseComparisonSearch(raw: Raw): ComparisonSearch {
  return { from: sideOf(raw.from), to: sideOf(raw.to), view: oneOf(raw.view, ['text']) };
}
