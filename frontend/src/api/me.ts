import { queryOptions } from '@tanstack/react-query';
import { client, dataOf } from './client';

export const meQuery = queryOptions({
  queryKey: ['me'],
  queryFn: ({ signal }) => dataOf(client.GET('/api/v1/me/', { signal })),
  staleTime: 5 * 60_000,
});
