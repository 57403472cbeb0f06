import { infiniteQueryOptions, queryOptions, type QueryClient } from '@tanstack/react-query';
import { client, dataOf } from './client';
import { nextOf } from './pipelines';
import type { BuildLogSlice, Environment, EnvironmentDetail, Page } from './types';

const LOOK_EVERY = 1_000; // milliseconds, while something is being built

/** Something is being built, or waits for its turn. */
export function isUnderway({ state, progress }: Pick<Environment, 'state' | 'progress'>): boolean {
  return state === 'building' || (state === 'missing' && progress !== '');
}

export const environmentsQuery = infiniteQueryOptions({
  queryKey: ['environments', 'list'],
  queryFn: ({ pageParam, signal }): Promise<Page<Environment>> =>
    dataOf(client.GET('/api/v1/environments/', { params: { query: pageParam }, signal })),
  initialPageParam: {},
  getNextPageParam: (page) => nextOf(page.next),
  refetchInterval: ({ state: { data } }) =>
    data?.pages.some((page) => page.results.some(isUnderway)) ? LOOK_EVERY : false,
});

export function environmentQuery(id: string) {
  return queryOptions({
    queryKey: ['environments', 'one', id],
    queryFn: ({ signal }): Promise<EnvironmentDetail> =>
      dataOf(client.GET('/api/v1/environments/{id}/', { params: { path: { id } }, signal })),
    refetchInterval: ({ state: { data } }) => (data && isUnderway(data) ? LOOK_EVERY : false),
  });
}

export interface BuildLog {
  text: string;
  /** The offset to ask for next. */
  next: number;
  complete: boolean;
}

/** What was said in one build, read on from where the last look ended. */
export function buildLogQuery(queryClient: QueryClient, id: string, build: number) {
  const queryKey = ['environments', 'log', id, build];
  return queryOptions({
    queryKey,
    queryFn: async ({ signal }): Promise<BuildLog> => {
      let log = queryClient.getQueryData<BuildLog>(queryKey) ?? { text: '', next: 0, complete: false };
      for (;;) {
        const slice = await logSlice(id, log.next, signal);
        // A newer build has a log of its own; the page asks for that one next.
        if (slice.build !== build) return { ...log, complete: true };
        log = { text: log.text + slice.text, next: slice.next, complete: slice.complete };
        if (slice.next >= slice.total) return log;
      }
    },
    refetchInterval: ({ state: { data } }) => (data?.complete ? false : LOOK_EVERY),
    staleTime: 0,
  });
}

function logSlice(id: string, offset: number, signal: AbortSignal): Promise<BuildLogSlice> {
  return dataOf(client.GET('/api/v1/environments/{id}/log/', { params: { path: { id }, query: { offset } }, signal }));
}

export function buildAgain(id: string): Promise<EnvironmentDetail> {
  return dataOf(client.POST('/api/v1/environments/{id}/build/', { params: { path: { id } } }));
}
