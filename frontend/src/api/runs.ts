import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query';
import { client, cursorOf, dataOf } from './client';
import { nextOf } from './pipelines';
import type { LogSlice, Page, ResumePlan, Run, RunState, TaskRun, TaskRunDetail } from './types';

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
