import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query';
import { client, cursorOf, dataOf } from './client';
import { nextOf } from './pipelines';
import type { Explanation, Json, LogSlice, Page, RerunPlan, ResumePlan, ReuseAnswer, Run, RunState, TaskRun, TaskRunDetail } from './types';

export interface RunFilter {
  pipeline?: string;
  state?: RunState;
}

export function runsQuery(filter: RunFilter) {
  const states = filter.state ? [filter.state] : undefined;
  return infiniteQueryOptions({
    queryKey: ['runs', 'list', filter],
    queryFn: ({ pageParam, signal }): Promise<Page<Run>> =>
      dataOf(client.GET('/api/v1/runs/', { params: { query: { ...filter, state: states, ...pageParam } }, signal })),
    initialPageParam: {},
    getNextPageParam: (page) => nextOf(page.next),
    placeholderData: keepPreviousData,
  });
}

export function getRun(id: string, signal: AbortSignal): Promise<Run> {
  return dataOf(client.GET('/api/v1/runs/{id}/', { params: { path: { id } }, signal }));
}

/** What is shown as the state of a run: one that waits for a person says so, whatever else still runs. */
export function shownState(run: Pick<Run, 'state' | 'counts'>): string {
  return run.state === 'running' && (run.counts.awaiting_approval ?? 0) > 0 ? 'awaiting_approval' : run.state;
}

/** Every task run of a run that changed after event number `since` (0: all), page after page. */
export async function getTasks(id: string, since: number, signal: AbortSignal): Promise<TaskRun[]> {
  const tasks: TaskRun[] = [];
  let cursor: string | null = null;
  do {
    const query: { since?: number; cursor?: string; page_size: number } = { page_size: 500 };
    if (since > 0) query.since = since;
    if (cursor !== null) query.cursor = cursor;
    const page: Page<TaskRun> = await dataOf(client.GET('/api/v1/runs/{id}/tasks/', { params: { path: { id }, query }, signal }));
    tasks.push(...page.results);
    cursor = cursorOf(page.next);
  } while (cursor !== null);
  return tasks;
}

export function taskRunQuery(id: string) {
  return queryOptions({
    queryKey: ['task-runs', id],
    queryFn: ({ signal }): Promise<TaskRunDetail> => dataOf(client.GET('/api/v1/task-runs/{id}/', { params: { path: { id } }, signal })),
  });
}

export function resumePlanQuery(id: string) {
  return queryOptions({
    queryKey: ['runs', 'resume-plan', id],
    queryFn: ({ signal }): Promise<ResumePlan> => dataOf(client.GET('/api/v1/runs/{id}/resume-plan/', { params: { path: { id } }, signal })),
    staleTime: 0,
    gcTime: 0,
  });
}

/** What a rerun is asked for; what is left out is as in the old run. */
export interface RerunWish {
  parameters?: Record<string, Json>;
  version?: number;
  from?: string;
  only?: string[];
  reuse: boolean;
}

export function rerunPlanQuery(id: string, wish: RerunWish) {
  return queryOptions({
    queryKey: ['runs', 'rerun-plan', id, wish],
    queryFn: ({ signal }): Promise<RerunPlan> =>
      dataOf(client.POST('/api/v1/runs/{id}/rerun-plan/', { params: { path: { id } }, body: wish as never, signal })),
    placeholderData: keepPreviousData,
    staleTime: 0,
    gcTime: 0,
    retry: false,
  });
}

/** A second press, or a press after a lost answer, gives the same run as long as the key is the same. */
export function rerun(id: string, wish: RerunWish, key: string): Promise<Run> {
  const params = { path: { id }, header: { 'Idempotency-Key': key } };
  return dataOf(client.POST('/api/v1/runs/{id}/rerun/', { params, body: wish as never }));
}

export function reuseQuery(taskRun: string) {
  return queryOptions({
    queryKey: ['task-runs', taskRun, 'reuse'],
    queryFn: ({ signal }): Promise<ReuseAnswer> =>
      dataOf(client.GET('/api/v1/task-runs/{id}/reuse/', { params: { path: { id: taskRun } }, signal })),
  });
}

/** Why a task is not running. Asked again every 5 s while something is in its way: queues and pauses send no word. */
export function explanationQuery(taskRun: string) {
  return queryOptions({
    queryKey: ['task-runs', taskRun, 'explain'],
    queryFn: ({ signal }): Promise<Explanation> =>
      dataOf(client.GET('/api/v1/task-runs/{id}/explain/', { params: { path: { id: taskRun } }, signal })),
    refetchInterval: ({ state }) => (state.data?.state === 'running' && state.data.blockers.length === 0 ? false : 5_000),
  });
}

export const cancelRun = (id: string) => dataOf(client.POST('/api/v1/runs/{id}/cancel/', byId(id)));
export const resumeRun = (id: string) => dataOf(client.POST('/api/v1/runs/{id}/resume/', byId(id)));
export const retryTask = (id: string) => dataOf(client.POST('/api/v1/task-runs/{id}/retry/', byId(id)));

export const decide = (id: string, verdict: 'approve' | 'reject', comment: string) =>
  verdict === 'approve'
    ? dataOf(client.POST('/api/v1/task-runs/{id}/approve/', { params: { path: { id } }, body: { comment } }))
    : dataOf(client.POST('/api/v1/task-runs/{id}/reject/', { params: { path: { id } }, body: { comment } }));

/** Lines `offset` to `offset + limit` of an attempt's log; fewer at its end. */
export function getLog(attempt: string, offset: number, limit: number, signal: AbortSignal): Promise<LogSlice> {
  return dataOf(
    client.GET('/api/v1/attempts/{id}/log/', { params: { path: { id: attempt }, query: { offset, limit } }, signal }),
  );
}

/** Where the whole log of an attempt is served as a text file, always as a download. */
export function logAddress(attempt: string): string {
  return `/api/v1/attempts/${attempt}/log/download`;
}

function byId(id: string) {
  return { params: { path: { id } } };
}
