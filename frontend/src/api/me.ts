import { queryOptions } from '@tanstack/react-query';
import { client, dataOf } from './client';
import type { Me } from './types';

export const meQuery = queryOptions({
  queryKey: ['me'],
  queryFn: ({ signal }): Promise<Me> => dataOf(client.GET('/api/v1/me/', { signal })),
  staleTime: 5 * 60_000,
});
