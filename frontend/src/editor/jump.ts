import { useEffect, useEffectEvent } from 'react';
import { placeOf } from './problems';
import type { EditorStore } from './store';
import type { Problem } from './types';

/** Where a person wants to go. */
export interface Jump {
  /** The task; null for the head of the document. */
  readonly key: string | null;
  /** The place below the task, or in the head: `with.learning_rate`. */
  readonly place?: string;
  /** Of the text, from 1. */
  readonly line?: number;
}

type Handler = (jump: Jump) => void;

/** Milliseconds in which a panel that only opens because of a jump still hears of it. */
const FRESH = 2000;

const handlers = new Set<Handler>();
let last: { jump: Jump; at: number } | null = null;

/** Asks canvas, panels and YAML to show a place. They are told after what was changed just before has been drawn. */
export function requestJump(jump: Jump): void {
  const asked = { jump, at: Date.now() };
  last = asked;
  setTimeout(() => {
    if (last === asked) for (const handler of [...handlers]) handler(jump);
  });
}

/** Nobody hears of the last jump any more: the page it was of has been left. */
export function forgetJump(): void {
  last = null;
}

function listen(handler: Handler): () => void {
  const late = last !== null && Date.now() - last.at < FRESH ? last.jump : null;
  if (late) handler(late);
  handlers.add(handler);
  return () => handlers.delete(handler);
}

/** Hears of jumps while mounted, and of one that has just been asked for. A jump may come twice: handling it is idempotent. */
export function useJump(handler: Handler): void {
  const told = useEffectEvent(handler);
  useEffect(() => listen((jump) => told(jump)), []);
}

/** Goes where a problem can be put right: to its field, or into the text when there is none. */
export function goToProblem(store: EditorStore, problem: Problem): void {
  const { doc, view, select, setView } = store.getState();
  const { key, place } = placeOf(problem, doc.model);
  const line = problem.line > 0 ? { line: problem.line } : {};
  if (doc.broken.length > 0 || (key === null && place === '')) {
    if (view === 'canvas') setView('split');
    requestJump({ key: null, ...line });
    return;
  }
  select(key === null ? [] : [key]);
  requestJump({ key, place, ...line });
}
