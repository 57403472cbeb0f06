import { layout } from './layout';
import type { Drawing, Flow, Placement } from './types';

/* Layout of large drawings in a worker: the same result as `layout`, without keeping the page from drawing. */

/** Up to so many boxes are laid out at once; more of them by the worker. */
export const AT_ONCE = 150;

interface Asked {
  no: number;
  drawing: Drawing;
  flow: Flow;
}

interface Answered {
  no: number;
  placement: Placement;
}

let worker: Worker | null = null;
let last = 0;
const waiting = new Map<number, (placement: Placement) => void>();

/** The placement of a drawing. Where there are no workers it is made on the spot. */
export function layoutFar(drawing: Drawing, flow: Flow = 'right'): Promise<Placement> {
  if (typeof Worker === 'undefined') return Promise.resolve(layout(drawing, flow));
  worker ??= begin();
  last += 1;
  const asked: Asked = { no: last, drawing, flow };
  worker.postMessage(asked);
  return new Promise((resolve) => waiting.set(asked.no, resolve));
}

function begin(): Worker {
  const begun = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
  begun.onmessage = ({ data }: MessageEvent<Answered>) => {
    waiting.get(data.no)?.(data.placement);
    waiting.delete(data.no);
  };
  return begun;
}

/** What the worker does with a message. */
export function answer({ no, drawing, flow }: Asked): Answered {
  return { no, placement: layout(drawing, flow) };
}
