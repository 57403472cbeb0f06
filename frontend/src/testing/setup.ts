import '@testing-library/jest-dom/vitest';
import { cleanup, configure } from '@testing-library/react';
import { afterEach, beforeEach, vi } from 'vitest';
import { live } from '../api/live';
import { FakeSocket } from './socket';

/* What jsdom lacks and the pages need: sizes, observers, pointer capture. Nothing here answers for the product. */

// A page that is loaded lazily takes its time on a busy machine.
configure({ asyncUtilTimeout: 4000 });

const nothing = () => undefined;

class NoObserver {
  observe = nothing;
  unobserve = nothing;
  disconnect = nothing;
}

Object.assign(window, {
  ResizeObserver: NoObserver,
  IntersectionObserver: NoObserver,
  scrollTo: nothing,
  matchMedia: (media: string) => Object.assign(new EventTarget(), { media, matches: false }),
});
Object.assign(Element.prototype, {
  scrollIntoView: () => undefined,
  scrollTo: () => undefined,
  hasPointerCapture: () => false,
  setPointerCapture: () => undefined,
  releasePointerCapture: () => undefined,
});
Object.assign(Range.prototype, { getClientRects: () => [] });
Object.assign(HTMLCanvasElement.prototype, { getContext: () => null });
Object.assign(SVGElement.prototype, { getBBox: () => ({ x: 0, y: 0, width: 40, height: 16 }) });
for (const size of ['offset', 'client']) {
  Object.defineProperty(HTMLElement.prototype, `${size}Height`, { get: () => 600 });
  Object.defineProperty(HTMLElement.prototype, `${size}Width`, { get: () => 900 });
}

beforeEach(() => {
  localStorage.clear();
  FakeSocket.all = [];
  FakeSocket.onOpen = () => undefined;
  vi.stubGlobal('WebSocket', FakeSocket);
});

afterEach(() => {
  cleanup();
  live().close();
  vi.unstubAllGlobals();
});
