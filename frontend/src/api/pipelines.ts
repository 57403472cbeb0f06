import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query';
import { client, cursorOf, dataOf } from './client';
import type { JsonMap, Page, Pipeline, Run, Version, VersionItem } from './types';

export interface PipelineFilter {
  q?: string;
  team?: string;
  state?: string;
  /** Whose: `me`, or `none` for those without an active owner. */
  owner?: 'me' | 'none';
}

/** What can be changed of a pipeline beside its document; people by user name. */
export interface PipelineChange {
  owner?: string | null;
  deputy?: string | null;
  purpose?: string;
  runbook?: string;
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

/** The number of the newest version; null when nothing is published. */
export async function newestVersion(name: string): Promise<number | null> {
  const page: Page<VersionItem> = await dataOf(
    client.GET('/api/v1/pipelines/{name}/versions/', { params: { path: { name }, query: { page_size: 1 } as never } }),
  );
  return page.results[0]?.number ?? null;
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

export function changePipeline(pipeline: Pipeline, change: PipelineChange): Promise<Pipeline> {
  return dataOf(client.PATCH('/api/v1/pipelines/{name}/', { params: { path: { name: addressOf(pipeline) } }, body: change }));
}

export function activateVersion(name: string, version: number) {
  return dataOf(client.POST('/api/v1/pipelines/{name}/activate/', { params: { path: { name } }, body: { version } }));
}

export function nextOf(next: string | null): { cursor: string } | undefined {
  const cursor = cursorOf(next);
  return cursor === null ? undefined : { cursor };
}
