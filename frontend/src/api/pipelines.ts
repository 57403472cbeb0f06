import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query';
import { client, cursorOf, dataOf } from './client';
import type { JsonMap, Page, Pipeline, Run, Version, VersionItem } from './types';

export interface PipelineFilter {
  q?: string;
  team?: string;
  state?: string;
}

/** `team:name`, the form that stays true for people of several teams. */
export function addressOf(pipeline: { team: string; name: string }): string {
  return `${pipeline.team}:${pipeline.name}`;
}

export function pipelinesQuery(filter: PipelineFilter) {
  return infiniteQueryOptions({
    queryKey: ['pipelines', 'list', filter],
    queryFn: ({ pageParam, signal }): Promise<Page<Pipeline>> =>
      dataOf(client.GET('/api/v1/pipelines/', { params: { query: { ...filter, ...pageParam } }, signal })),
    initialPageParam: {},
    getNextPageParam: (page) => nextOf(page.next),
    placeholderData: keepPreviousData,
  });
}

export function pipelineQuery(name: string) {
  return queryOptions({
    queryKey: ['pipelines', 'one', name],
    queryFn: ({ signal }): Promise<Pipeline> => dataOf(client.GET('/api/v1/pipelines/{name}/', { params: { path: { name } }, signal })),
  });
}

export function versionsQuery(name: string) {
  return infiniteQueryOptions({
    queryKey: ['pipelines', 'versions', name],
    queryFn: ({ pageParam, signal }): Promise<Page<VersionItem>> =>
      dataOf(client.GET('/api/v1/pipelines/{name}/versions/', { params: { path: { name }, query: pageParam as never }, signal })),
    initialPageParam: {},
    getNextPageParam: (page) => nextOf(page.next),
  });
}

/** A version never changes, so it is asked for once. */
export function versionQuery(name: string, number: number) {
  return queryOptions({
    queryKey: ['pipelines', 'version', name, number],
    queryFn: ({ signal }): Promise<Version> =>
      dataOf(
        client.GET('/api/v1/pipelines/{name}/versions/{number}/', { params: { path: { name, number } }, signal }),
      ),
    staleTime: Infinity,
  });
}

/** Starts a run. `key` makes a second press of the same dialog give the same run. */
export function startRun(pipeline: Pipeline, parameters: JsonMap, key: string, version?: number): Promise<Run> {
  return dataOf(
    client.POST('/api/v1/pipelines/{name}/runs/', {
      params: { path: { name: addressOf(pipeline) }, header: { 'Idempotency-Key': key } },
      body: version === undefined ? { parameters } : { parameters, version },
    }),
  );
}

export function activateVersion(name: string, version: number) {
  return dataOf(client.POST('/api/v1/pipelines/{name}/activate/', { params: { path: { name } }, body: { version } }));
}

export function nextOf(next: string | null): { cursor: string } | undefined {
  const cursor = cursorOf(next);
  return cursor === null ? undefined : { cursor };
}
