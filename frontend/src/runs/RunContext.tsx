import { useQueryClient, type QueryClient } from '@tanstack/react-query';
import { createContext, use, useEffect, useMemo, type ReactNode } from 'react';
import { useStore } from 'zustand';
import { useLive, useLiveStatus } from '../api/live';
import { addressOf, versionQuery } from '../api/pipelines';
import { getRun } from '../api/runs';
import type { TaskRun } from '../api/types';
import { createRunStore, isActive, REAL, type RunState, type RunStore, type RunStoreParts } from './store';

const Context = createContext<RunStore | null>(null);

/** How often a page asks although nobody told it to: a nudge may be lost. Milliseconds. */
const SURE_MS = { open: 10_000, broken: 2_000 };

/** Holds the state of one run for the parts of its page, and keeps it true. */
export function RunProvider({ id, children }: { id: string; children: ReactNode }) {
  const queryClient = useQueryClient();
  const store = useMemo(() => createRunStore(id, withVersion(queryClient)), [id, queryClient]);
  const active = useStore(store, (state) => isActive(state.run));
  const missing = useStore(store, (state) => state.run === null);
  const open = useLiveStatus() === 'open';
  useEffect(() => store.hold(), [store]);
  useLive('run', id, store.hear);
  useEffect(() => {
    if (!active && !missing) return undefined;
    const timer = setInterval(() => void store.refresh(), open ? SURE_MS.open : SURE_MS.broken);
    return () => clearInterval(timer);
  }, [store, active, missing, open]);
  return <Context value={store}>{children}</Context>;
}

/** The version is asked for as soon as it is known which, beside the tasks: the graph is drawn from it. */
function withVersion(queryClient: QueryClient): RunStoreParts {
  return {
    ...REAL,
    getRun: async (id, signal) => {
      const run = await getRun(id, signal);
      // The graph tells when it could not be had.
      queryClient.query(versionQuery(addressOf(run.pipeline), run.version)).catch(() => undefined);
      return run;
    },
  };
}

export function useRunStore(): RunStore {
  const store = use(Context);
  if (!store) throw new Error('This part belongs inside a RunProvider.');
  return store;
}

export function useRun<T>(select: (state: RunState) => T): T {
  return useStore(useRunStore(), select);
}

/** One task of the run; the component is drawn again when that task changed, and only then. */
export function useTask(key: string | null): TaskRun | null {
  return useRun((state) => (key === null ? null : (state.tasks[key] ?? null)));
}
