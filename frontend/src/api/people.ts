import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import { client, dataOf } from './client';
import type { Member, Page } from './types';

/** The first of those in a team who may own a pipeline, by part of their name. */
export function ownersQuery(team: string, q: string) {
  return queryOptions({
    queryKey: ['members', team, 'own', q],
    queryFn: ({ signal }): Promise<Page<Member>> =>
      dataOf(
        client.GET('/api/v1/members/', {
          params: { query: { team, can_own: true, page_size: 20, ...(q ? { q } : {}) } },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
  });
}
