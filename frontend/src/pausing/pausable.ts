import { useQueryClient } from '@tanstack/react-query';
import { pausePipeline, pauseRun, unpausePipeline, unpauseRun } from '../api/pausing';
import type { Paused, PauseWish, Pipeline, Run } from '../api/types';

/** What can be paused, and how. */
export interface Pausable {
  name: string;
  /** What follows from a pause, in sentences. */
  means: string;
  paused: Paused;
  may: boolean;
  pause: (wish: PauseWish) => Promise<unknown>;
  unpause: () => Promise<unknown>;
  /** Has it shown as it is now. */
  refresh: () => Promise<unknown>;
}

export function pausableRun(run: Run, refresh: () => Promise<unknown>): Pausable {
  return {
    name: `run ${run.number}`,
    means: 'No further task of it begins. What runs goes on to its end.',
    paused: run,
    may: run.can.pause,
    pause: (wish) => pauseRun(run, wish),
    unpause: () => unpauseRun(run),
    refresh,
  };
}

export function usePausablePipeline(pipeline: Pipeline): Pausable {
  const queryClient = useQueryClient();
  return {
    name: pipeline.name,
    means: 'No further task of its runs begins, and programs start none. What runs goes on to its end.',
    paused: pipeline,
    may: pipeline.can.pause,
    pause: (wish) => pausePipeline(pipeline, wish),
    unpause: () => unpausePipeline(pipeline),
    refresh: () => queryClient.invalidateQueries({ queryKey: ['pipelines'] }),
  };
}
