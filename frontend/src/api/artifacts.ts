import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query';
import { client, dataOf } from './client';
import { nextOf } from './pipelines';
import type { Artifact, Entry, Neighbour, Page, Preview, TableProfile } from './types';

export function artifactQuery(id: string) {
  return queryOptions({
    queryKey: ['artifacts', 'one', id],
    queryFn: ({ signal }): Promise<Artifact> =>
      dataOf(client.GET('/api/v1/artifacts/{id}/', { params: { path: { id } }, signal })),
  });
}

/** A look into the bytes, or into one file of a folder; they never change, so it is asked for once. */
export function previewQuery(id: string, path?: string) {
  return queryOptions({
    queryKey: ['artifacts', 'preview', id, path ?? null],
    queryFn: ({ signal }): Promise<Preview> =>
      dataOf(client.GET('/api/v1/artifacts/{id}/preview/', { params: paramsOf(id, path), signal })),
    staleTime: Infinity,
  });
}

export function profileQuery(id: string, path?: string) {
  return queryOptions({
    queryKey: ['artifacts', 'profile', id, path ?? null],
    queryFn: ({ signal }): Promise<TableProfile> =>
      dataOf(client.GET('/api/v1/artifacts/{id}/profile/', { params: paramsOf(id, path), signal })),
    staleTime: Infinity,
  });
}

function paramsOf(id: string, path: string | undefined) {
  return { path: { id }, query: path === undefined ? {} : { path } };
}

/** The files of a folder by path, those alone whose path has `q` in it. */
export function entriesQuery(id: string, q: string) {
  return infiniteQueryOptions({
    queryKey: ['artifacts', 'entries', id, q],
    queryFn: ({ pageParam, signal }): Promise<Page<Entry>> =>
      dataOf(
        client.GET('/api/v1/artifacts/{id}/entries/', {
          params: { path: { id }, query: { ...(q ? { q } : {}), ...pageParam } },
          signal,
        }),
      ),
    initialPageParam: {},
    getNextPageParam: (page) => nextOf(page.next),
    placeholderData: keepPreviousData,
    staleTime: Infinity,
  });
}

/** What the record that wrote an artifact had read. */
export function upstreamQuery(id: string) {
  return queryOptions({
    queryKey: ['artifacts', 'upstream', id],
    queryFn: ({ signal }): Promise<Page<Neighbour>> =>
      dataOf(client.GET('/api/v1/artifacts/{id}/upstream/', { params: { path: { id } }, signal })),
  });
}

/** The records that read an artifact and what they wrote, newest first. */
export function downstreamQuery(id: string) {
  return infiniteQueryOptions({
    queryKey: ['artifacts', 'downstream', id],
    queryFn: ({ pageParam, signal }): Promise<Page<Neighbour>> =>
      dataOf(
        client.GET('/api/v1/artifacts/{id}/downstream/', {
          params: { path: { id }, query: pageParam },
          signal,
        }),
      ),
    initialPageParam: {},
    getNextPageParam: (page) => nextOf(page.next),
  });
}

/** Where the bytes of an artifact, or of one file in a folder, are served, always as a download. */
export function contentAddress(artifact: string, path?: string): string {
  return addressIn(artifact, 'content', path);
}

/** Where a picture is served to be shown. */
export function imageAddress(artifact: string, path?: string): string {
  return addressIn(artifact, 'image', path);
}

function addressIn(artifact: string, what: string, path: string | undefined): string {
  const query = path === undefined ? '' : `?path=${encodeURIComponent(path)}`;
  return `/api/v1/artifacts/${artifact}/${what}/${query}`;
}
