import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { client, dataOf } from './client';
import { nextOf } from './pipelines';
import type { Page, Secret, SecretDetail, SecretSource } from './types';

/* Names and versions of secrets. Values go in and are never given back, so nothing here may keep one: they are not
   arguments of queries or mutations, which are remembered, but only of these functions. */

export const secretsQuery = infiniteQueryOptions({
  queryKey: ['secrets', 'list'],
  queryFn: ({ pageParam, signal }): Promise<Page<Secret>> =>
    dataOf(client.GET('/api/v1/secrets/', { params: { query: pageParam }, signal })),
  initialPageParam: {},
  getNextPageParam: (page) => nextOf(page.next),
});

/** One secret with the pipelines that name it. */
export function secretQuery(id: string) {
  return queryOptions({
    queryKey: ['secrets', 'one', id],
    queryFn: ({ signal }): Promise<SecretDetail> =>
      dataOf(client.GET('/api/v1/secrets/{id}/', { params: { path: { id } }, signal })),
  });
}

export interface NewSecret {
  team: string;
  name: string;
  description: string;
  source: SecretSource;
  /** Of a stored one. */
  value?: string;
  /** Of one that refers to a variable or file of the workers. */
  address?: string;
}

export function makeSecret(secret: NewSecret): Promise<Secret> {
  return dataOf(client.POST('/api/v1/secrets/', { body: secret }));
}

export function changeSecret(id: string, change: { description?: string; value?: string; address?: string }): Promise<Secret> {
  return dataOf(client.PATCH('/api/v1/secrets/{id}/', { params: { path: { id } }, body: change }));
}

export async function archiveSecret(id: string): Promise<void> {
  await client.DELETE('/api/v1/secrets/{id}/', { params: { path: { id } } });
}
