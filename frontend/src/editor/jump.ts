import { useEffect, useEffectEvent } from 'react';

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
const FRESH = 500;

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
