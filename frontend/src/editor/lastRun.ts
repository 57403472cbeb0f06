import { createContext, use, useEffect, useMemo, useSyncExternalStore } from 'react';
import { useLive } from '../api/live';
import type { TaskRun } from '../api/types';
import { createRunStore, type RunStore } from '../runs/store';

/** What the newest run says of one task. */
export interface LastRun {
  state: string;
  /** How long it took; null while it has not ended, or was never begun. */
  seconds: number | null;
  /** When it began; null when it did not. */
  startedAt: string | null;
  runId: string;
  runNumber: number;
  taskRunId: string;
}

export const LastRunContext = createContext<RunStore | null>(null);

/** Keeps the states of a run's tasks true; null without a run. */
export function useRunOf(id: string | null): RunStore | null {
  const store = useMemo(() => (id === null ? null : createRunStore(id)), [id]);
  useEffect(() => store?.hold(), [store]);
  useLive('run', id, (message) => store?.hear(message));
  return store;
}

const never = () => () => undefined;
const nothing = () => null;

/** What the newest run of this pipeline says of a task, live; null when it has not run there. */
export function useLastRun(key: string): LastRun | null {
  const store = use(LastRunContext);
  const task = useSyncExternalStore(store?.subscribe ?? never, store ? () => store.getState().tasks[key] ?? null : nothing);
  const run = useSyncExternalStore(store?.subscribe ?? never, store ? () => store.getState().run : nothing);
  const id = run?.id;
  const number = run?.number;
  return useMemo(
    () => (task === null || id === undefined || number === undefined ? null : lastRunOf(task, id, number)),
    [task, id, number],
  );
}

function lastRunOf(task: TaskRun, runId: string, runNumber: number): LastRun {
  const { state, started_at: startedAt, finished_at: finishedAt } = task;
  const seconds = startedAt !== null && finishedAt !== null ? (Date.parse(finishedAt) - Date.parse(startedAt)) / 1000 : null;
  return { state, seconds, startedAt, runId, runNumber, taskRunId: task.id };
}
