import { createStore, type StoreApi } from 'zustand/vanilla';
import type { LiveMessage } from '../api/live';
import { oneAtATime } from '../api/oneAtATime';
import { getRun, getTasks } from '../api/runs';
import type { Run, TaskRun } from '../api/types';

export interface RunState {
  run: Run | null;
  /** By task key. */
  tasks: Readonly<Record<string, TaskRun>>;
  /** Keys in the order in which the server lists them. */
  keys: readonly string[];
  /** Lines written so far, by attempt, as far as the socket told. */
  logLines: Readonly<Record<string, number>>;
  /** Why the last fetch failed; what was there before stays. */
  problem: unknown;
}

export interface RunStore extends StoreApi<RunState> {
  /** Fetches what changed since the last event seen. Calls during a fetch make one more, never two at once. */
  refresh: () => Promise<void>;
  hear: (message: LiveMessage) => void;
  /** Fetches the run for whoever shows it; returns what gives it up. React's strict mode leaves and comes back at once. */
  hold: () => () => void;
}

export interface RunStoreParts {
  getRun: typeof getRun;
  getTasks: typeof getTasks;
  frame: (work: () => void) => unknown;
}

export const REAL: RunStoreParts = { getRun, getTasks, frame: (work) => requestAnimationFrame(work) };

const ACTIVE = new Set(['queued', 'running', 'cancelling']);

export function isActive(run: Run | null): boolean {
  return run !== null && ACTIVE.has(run.state);
}

/** One run as the page knows it. Written at most once per animation frame. */
export function createRunStore(id: string, parts: RunStoreParts = REAL): RunStore {
  const store = createStore<RunState>(() => ({ run: null, tasks: {}, keys: [], logLines: {}, problem: null }));
  const abort = new AbortController();
  let seen = 0;

  const commit = frameWriter(store, parts.frame, abort.signal);

  async function fetchOnce(): Promise<void> {
    // The run first: its number is then never ahead of the tasks that come with it.
    const run = await parts.getRun(id, abort.signal);
    const tasks = await parts.getTasks(id, seen, abort.signal);
    seen = Math.max(seen, run.last_seq);
    commit((state) => ({ ...state, ...merge(state, tasks), run, problem: null }));
  }

  const refresh = oneAtATime(fetchOnce, (problem) => {
    if (!abort.signal.aborted) commit((state) => ({ ...state, problem }));
  });

  function hear(message: LiveMessage): void {
    if (message.type === 'log') {
      const { attempt, lines } = message;
      commit((state) => ({ ...state, logLines: { ...state.logLines, [attempt]: lines } }));
    } else if (message.type === 'subscribed') {
      // After a broken socket nothing is known of what was said meanwhile.
      if (message.seq === null || message.seq !== seen || store.getState().run === null) void refresh();
    } else if (message.type === 'run' && message.seq > seen) void refresh();
  }

  let leaving: ReturnType<typeof setTimeout> | undefined;
  function hold(): () => void {
    clearTimeout(leaving);
    void refresh();
    return () => {
      leaving = setTimeout(() => abort.abort());
    };
  }

  return { ...store, refresh, hear, hold };
}

function merge(state: RunState, tasks: TaskRun[]): Pick<RunState, 'tasks' | 'keys'> {
  if (tasks.length === 0) return state;
  const next = { ...state.tasks };
  const fresh: string[] = [];
  for (const task of tasks) {
    if (!(task.key in next)) fresh.push(task.key);
    next[task.key] = task;
  }
  return { tasks: next, keys: fresh.length > 0 ? [...state.keys, ...fresh] : state.keys };
}

/** Gathers changes and writes them together in the next animation frame. */
function frameWriter(store: StoreApi<RunState>, frame: RunStoreParts['frame'], signal: AbortSignal) {
  let waiting: ((state: RunState) => RunState)[] = [];
  return (change: (state: RunState) => RunState) => {
    waiting.push(change);
    if (waiting.length > 1) return;
    frame(() => {
      const changes = waiting;
      waiting = [];
      if (signal.aborted) return;
      store.setState((state) => changes.reduce((known, each) => each(known), state), true);
    });
  };
}
