import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { client, dataOf } from './client';
import { nextOf } from './pipelines';
import type { components } from './schema';
import type { Page, PublishedVersion } from './types';

/* Code locations: folders and repositories that the blocks of pipelines come from. */

type Schemas = components['schemas'];

export type CodeLocation = Schemas['Location'];
export type CodeState = Schemas['CodeState'];
export type Snapshot = Schemas['Snapshot'];
export type Commit = Schemas['Commit'];
export type Block = Schemas['Block'];
export type PipelineCode = Schemas['PipelineCode'];

const POLL_SYNC = 1000;
const POLL_IDLE = 30_000;

/** How soon a location is asked for again, in milliseconds: often while something is under way. */
export function pollOf(locations: CodeLocation[]): number {
  return locations.some(({ syncing }) => syncing !== null) ? POLL_SYNC : POLL_IDLE;
}

export const codeQuery = infiniteQueryOptions({
  queryKey: ['code', 'list'],
  queryFn: ({ pageParam, signal }): Promise<Page<CodeLocation>> =>
    dataOf(client.GET('/api/v1/code-locations/', { params: { query: pageParam }, signal })),
  initialPageParam: {},
  getNextPageParam: (page) => nextOf(page.next),
  refetchInterval: ({ state }) => pollOf(state.data?.pages.flatMap((page) => page.results) ?? []),
});

export function locationQuery(id: string) {
  return queryOptions({
    queryKey: ['code', 'one', id],
    queryFn: ({ signal }): Promise<CodeLocation> => dataOf(client.GET('/api/v1/code-locations/{id}/', { params: { path: { id } }, signal })),
    refetchInterval: ({ state }) => pollOf(state.data ? [state.data] : []),
  });
}

/** `at` is when it was synced last: then there may be another one. */
export function snapshotsQuery(id: string, at: string | null) {
  return infiniteQueryOptions({
    queryKey: ['code', 'snapshots', id, at],
    queryFn: ({ pageParam, signal }): Promise<Page<Snapshot>> =>
      dataOf(client.GET('/api/v1/code-locations/{id}/snapshots/', { params: { path: { id }, query: pageParam as never }, signal })),
    initialPageParam: {},
    getNextPageParam: (page) => nextOf(page.next),
  });
}

/** Which code the active version of a pipeline uses; null when it uses none. */
export function pipelineCodeQuery(name: string, version: number) {
  return queryOptions({
    queryKey: ['code', 'of-pipeline', name, version],
    queryFn: async ({ signal }): Promise<PipelineCode | null> =>
      (await dataOf<PipelineCode | undefined>(client.GET('/api/v1/pipelines/{name}/code/', { params: { path: { name } }, signal }))) ?? null,
  });
}

/** What of a repository can be changed. */
export interface RepositoryFields {
  address: string;
  ref: string;
  folder: string;
  secret: string;
  known_hosts: string;
  lock_file: string;
  auto_sync: boolean;
}

export interface NewLocation {
  team: string;
  name: string;
  kind: 'folder' | 'git';
  address: string;
  lock_file: string;
}

export function registerLocation(location: NewLocation & Partial<RepositoryFields>): Promise<CodeLocation> {
  return dataOf(client.POST('/api/v1/code-locations/', { body: { preload: [], ...location } }));
}

export function changeLocation(id: string, change: Partial<RepositoryFields>): Promise<CodeLocation> {
  return dataOf(client.PATCH('/api/v1/code-locations/{id}/', { params: { path: { id } }, body: change }));
}

/** A folder is read at once; for a repository the answer says that it waits. */
export function syncLocation(id: string): Promise<CodeLocation> {
  return dataOf<CodeLocation>(client.POST('/api/v1/code-locations/{id}/sync/', { params: { path: { id } } }));
}

export async function archiveLocation(id: string): Promise<void> {
  await client.DELETE('/api/v1/code-locations/{id}/', { params: { path: { id } } });
}

/** The text of the active version again, with the code that was synced last. Problem 422 names what does not fit. */
export function publishNewCode(name: string, message: string): Promise<PublishedVersion> {
  return dataOf(
    client.POST('/api/v1/pipelines/{name}/versions/', { params: { path: { name } }, body: { message, activate: true, code: 'latest' } }),
  );
}
