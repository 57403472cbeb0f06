import type { RunState } from '../api/types';

export type PanelTab = 'overview' | 'log' | 'data';

/** What of a run page lives in its address. */
export interface RunSearch {
  view?: 'list' | undefined;
  task?: string | undefined;
  /** Attempt number; the latest when absent. */
  attempt?: number | undefined;
  tab?: PanelTab | undefined;
  /** First line is 1. */
  line?: number | undefined;
  q?: string | undefined;
  state?: string | undefined;
  hide?: boolean | undefined;
}

const TABS = new Set(['overview', 'log', 'data']);

export function parseRunSearch(raw: Record<string, unknown>): RunSearch {
  const search: RunSearch = {};
  if (raw.view === 'list') search.view = 'list';
  if (raw.task !== undefined && raw.task !== '') search.task = text(raw.task);
  if (whole(raw.attempt)) search.attempt = Number(raw.attempt);
  if (TABS.has(text(raw.tab))) search.tab = raw.tab as PanelTab;
  if (whole(raw.line)) search.line = Number(raw.line);
  if (text(raw.q)) search.q = text(raw.q);
  if (text(raw.state)) search.state = text(raw.state);
  if (raw.hide === true || raw.hide === 'true') search.hide = true;
  return search;
}

function text(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
}

function whole(value: unknown): boolean {
  return Number.isInteger(Number(value)) && Number(value) > 0;
}

const RUN_STATES: readonly RunState[] = ['queued', 'running', 'succeeded', 'failed', 'cancelling', 'cancelled'];

/** The state that a word of an address names, if any. */
export function runState(word: unknown): RunState | undefined {
  return RUN_STATES.find((state) => state === word);
}
