import { queryOptions } from '@tanstack/react-query';
import { client, dataOf } from './client';
import { nextOf } from './pipelines';
import { Problem } from './problem';
import type { components } from './schema';
import type { JsonMap, Page } from './types';

/* What a document of a team may name. */

type Schemas = components['schemas'];

export type KindShape = Omit<Schemas['Kind'], 'keys' | 'starter'> & { keys: Record<string, JsonMap>; starter: JsonMap };

export interface KindsShape {
  common: Record<string, JsonMap>;
  work: Record<string, JsonMap>;
  kinds: KindShape[];
}

export type LocationShape = Schemas['Location'];
export type BlocksShape = Schemas['Blocks'];

/** The kinds of tasks are part of the program, so they are asked for once. */
export function kindsQuery() {
  return queryOptions({
    queryKey: ['kinds'],
    queryFn: ({ signal }): Promise<KindsShape> => dataOf(client.GET('/api/v1/kinds/', { signal })),
    staleTime: Infinity,
  });
}

export function locationsQuery(team: string) {
  return queryOptions({
    queryKey: ['code-locations', team],
    queryFn: ({ signal }) =>
      whole((query) => dataOf(client.GET('/api/v1/code-locations/', { params: { query: { usable_by: team, ...query } }, signal }))).then((rows) =>
        rows.map((row) => ({ ...row, name: nameIn(team, row) })),
      ),
  });
}

/** `snapshot` is the digest of what was read: another one has other blocks. */
export function blocksQuery({ id, snapshot }: LocationShape) {
  return queryOptions({
    queryKey: ['blocks', id, snapshot?.tree_sha256 ?? null],
    queryFn: ({ signal }): Promise<BlocksShape> =>
      dataOf(client.GET('/api/v1/code-locations/{id}/blocks/', { params: { path: { id } }, signal })),
  });
}

export function queueNamesQuery() {
  return queryOptions({
    queryKey: ['names', 'queues'],
    queryFn: async ({ signal }) => {
      const queues = await allowed(whole((query) => dataOf(client.GET('/api/v1/queues/', { params: { query: query as never }, signal }))));
      return queues.map(({ slug }) => slug);
    },
  });
}

export function endpointNamesQuery(team: string) {
  return queryOptions({
    queryKey: ['names', 'endpoints', team],
    queryFn: async ({ signal }) => {
      const endpoints = await allowed(whole((query) => dataOf(client.GET('/api/v1/endpoints/', { params: { query: { usable_by: team, ...query } }, signal }))));
      return endpoints.map((row) => nameIn(team, row));
    },
  });
}

/** User names of those who may still sign in. */
export function memberNamesQuery(team: string) {
  return queryOptions({
    queryKey: ['names', 'members', team],
    queryFn: async ({ signal }) => {
      const members = await allowed(whole((query) => dataOf(client.GET('/api/v1/members/', { params: { query: { team, ...query } }, signal }))));
      return members.filter(({ active }) => active).map(({ username }) => username);
    },
  });
}

export function secretNamesQuery(team: string) {
  return queryOptions({
    queryKey: ['names', 'secrets', team],
    queryFn: async ({ signal }) => {
      const secrets = await allowed(whole((query) => dataOf(client.GET('/api/v1/secrets/', { params: { query: { usable_by: team, ...query } }, signal }))));
      return secrets.map((row) => nameIn(team, row));
    },
  });
}

/** How documents of a team name a thing: with its own team in front when it is lent to them. */
function nameIn(team: string, row: { team: string; name: string }): string {
  return row.team === team ? row.name : `${row.team}:${row.name}`;
}

/** Every page of a list, one after the other. */
export async function whole<T>(ask: (query: object) => Promise<Page<T>>): Promise<T[]> {
  const found: T[] = [];
  let query: object | undefined = {};
  while (query) {
    const page: Page<T> = await ask({ page_size: 500, ...query });
    found.push(...page.results);
    query = nextOf(page.next);
  }
  return found;
}

/** What a person may not list they may not choose from: an empty list. */
async function allowed<T>(list: Promise<T[]>): Promise<T[]> {
  try {
    return await list;
  } catch (error) {
    if (error instanceof Problem && (error.status === 403 || error.status === 404)) return [];
    throw error;
  }
}
