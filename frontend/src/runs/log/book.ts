import { createStore, type StoreApi } from 'zustand/vanilla';
import { oneAtATime } from '../../api/oneAtATime';
import type { LogSlice } from '../../api/types';

/** Lines asked for at once. */
export const BLOCK = 500;

export interface LogState {
  /** Lines the log has as far as we know. */
  total: number;
  /** The attempt has ended and nothing will be added. */
  complete: boolean;
  droppedBytes: number;
  /** At least one answer came. */
  loaded: boolean;
  problem: unknown;
  /** Goes up with every change of the lines, which are kept outside of the store for their number. */
  version: number;
}

export type FetchSlice = (offset: number, limit: number, signal: AbortSignal) => Promise<LogSlice>;

export interface LogBook extends StoreApi<LogState> {
  /** Line `index` (0-based), undefined while it is not loaded. */
  line: (index: number) => string | undefined;
  loadedLines: () => { index: number; text: string }[];
  /** Loads the blocks around these lines unless they are there or on their way. */
  ensure: (from: number, to: number) => void;
  /** Loads what was written since; `hint`: how many lines there are as far as somebody told. */
  catchUp: (hint?: number) => Promise<void>;
  dispose: () => void;
}

/** The lines of one attempt's log: a sparse array filled block by block, its end first. */
export function createLogBook(fetchSlice: FetchSlice): LogBook {
  const store = createStore<LogState>(() => ({
    total: 0,
    complete: false,
    droppedBytes: 0,
    loaded: false,
    problem: null,
    version: 0,
  }));
  const lines: string[] = [];
  const asked = new Set<number>();
  const abort = new AbortController();
  let hinted = 0;

  function take(slice: LogSlice): void {
    slice.lines.forEach((text, at) => {
      lines[slice.offset + at] = text;
    });
    store.setState((state) => ({
      total: Math.max(slice.total, slice.offset + slice.lines.length),
      complete: slice.complete,
      droppedBytes: slice.dropped_bytes,
      loaded: true,
      problem: null,
      version: state.version + 1,
    }));
  }

  async function fetchBlock(block: number): Promise<void> {
    asked.add(block);
    try {
      take(await fetchSlice(block * BLOCK, BLOCK, abort.signal));
    } catch (problem) {
      asked.delete(block);
      if (!abort.signal.aborted) store.setState({ problem });
    }
  }

  function ensure(from: number, to: number): void {
    const last = Math.max(0, store.getState().total - 1);
    for (let block = Math.floor(Math.max(0, from) / BLOCK); block <= Math.floor(Math.min(to, last) / BLOCK); block += 1) {
      const start = block * BLOCK;
      const whole = lines[start] !== undefined && lines[Math.min(start + BLOCK - 1, last)] !== undefined;
      if (!whole && !asked.has(block)) void fetchBlock(block);
    }
  }

  /** The last known line is asked for again: it may have been only half written. */
  async function fetchEnd(): Promise<void> {
    const { total, loaded } = store.getState();
    const far = Math.max(0, hinted - BLOCK);
    let offset = loaded ? Math.max(0, total - 1, far) : far;
    let slice = await fetchSlice(offset, BLOCK, abort.signal);
    if (slice.total - slice.next > BLOCK) {
      // It ran ahead of us: go to its end, the middle is loaded when somebody looks at it.
      take(slice);
      offset = slice.total - BLOCK;
      slice = await fetchSlice(offset, BLOCK, abort.signal);
    }
    take(slice);
    while (slice.lines.length > 0 && slice.next < slice.total) {
      slice = await fetchSlice(slice.next, BLOCK, abort.signal);
      take(slice);
    }
  }

  const fetchNow = oneAtATime(fetchEnd, (problem) => {
    if (!abort.signal.aborted) store.setState({ problem });
  });

  function catchUp(hint = 0): Promise<void> {
    hinted = Math.max(hinted, hint);
    return fetchNow();
  }

  return {
    ...store,
    line: (index) => lines[index],
    loadedLines: () => {
      const found: { index: number; text: string }[] = [];
      lines.forEach((text, index) => found.push({ index, text }));
      return found;
    },
    ensure,
    catchUp,
    dispose: () => abort.abort(),
  };
}
