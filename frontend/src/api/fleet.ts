import { queryOptions } from '@tanstack/react-query';
import { whole } from './catalogue';
import { client, dataOf } from './client';
import type { components } from './schema';

/* Queues and their workers. */

export type QueueShape = components['schemas']['QueueShape'];

/** One queue as it is now, or null when there is none of that name any more. */
export function queueQuery(slug: string) {
  return queryOptions({
    queryKey: ['queues', slug],
    queryFn: async ({ signal }): Promise<QueueShape | null> => {
      const queues = await whole((query) => dataOf(client.GET('/api/v1/queues/', { params: { query: query as never }, signal })));
      return queues.find((queue) => queue.slug === slug) ?? null;
    },
    refetchInterval: 5_000,
  });
}
