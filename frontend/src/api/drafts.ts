import { queryOptions } from '@tanstack/react-query';
import { client, dataOf } from './client';
import type { Draft, JsonMap, Pipeline, PublishedVersion } from './types';

/** The one draft of a pipeline, always asked for anew: it changes with every letter of somebody who edits. */
export function draftQuery(name: string) {
  return queryOptions({
    queryKey: ['drafts', name],
    queryFn: ({ signal }): Promise<Draft> => getDraft(name, signal),
    refetchOnMount: 'always',
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
    gcTime: 0,
  });
}

/** Without its problems: who draws it has it judged while it is drawn. */
export function getDraft(name: string, signal?: AbortSignal): Promise<Draft> {
  return dataOf(
    client.GET('/api/v1/pipelines/{name}/draft/', {
      params: { path: { name }, query: { problems: false } },
      ...(signal ? { signal } : {}),
    }),
  );
}

/** Saves a text with whatever problems it has. Problem 412 when somebody saved since `etag`. */
export function putDraft(name: string, document: string, layout: JsonMap, etag: string): Promise<Draft> {
  return dataOf(
    client.PUT('/api/v1/pipelines/{name}/draft/', {
      params: { path: { name }, header: { 'If-Match': etag } },
      body: { document, layout },
    }),
  );
}

/**
 * Freezes the draft as it was at `etag`. `created` is false when nothing had changed; Problem 422 names what keeps it from
 * publishing, 412 says that somebody saved since.
 */
export function publishDraft(name: string, message: string, activate: boolean, etag: string): Promise<PublishedVersion> {
  return dataOf(
    client.POST('/api/v1/pipelines/{name}/versions/', {
      params: { path: { name }, header: { 'If-Match': etag } },
      body: { message, activate, code: 'draft' },
    }),
  );
}

/** Problem 409 (code `name-taken`) when the team has, or had, a pipeline of this name. */
export function createPipeline(team: string, name: string, document: string): Promise<Pipeline> {
  return dataOf(client.POST('/api/v1/pipelines/', { body: { name, team, document } }));
}
