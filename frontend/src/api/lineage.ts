import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { client, dataOf } from './client';
import { nextOf } from './pipelines';
import type { Deployment, DeploymentItem, Page, Trace } from './types';

export const deploymentsQuery = infiniteQueryOptions({
  queryKey: ['deployments', 'list'],
  queryFn: ({ pageParam, signal }): Promise<Page<DeploymentItem>> =>
    dataOf(client.GET('/api/v1/deployments/', { params: { query: pageParam }, signal })),
  initialPageParam: {},
  getNextPageParam: (page) => nextOf(page.next),
});

export function deploymentQuery(endpoint: string, at?: string) {
  return queryOptions({
    queryKey: ['deployments', 'one', endpoint, at ?? 'now'],
    queryFn: ({ signal }): Promise<Deployment> =>
      dataOf(
        client.GET('/api/v1/deployments/{endpoint}/', {
          params: { path: { endpoint }, query: at ? { at } : {} },
          signal,
        }),
      ),
  });
}

/** Asked for again every two seconds until its last record is sealed. */
export function traceQuery(endpoint: string, at?: string) {
  return queryOptions({
    queryKey: ['deployments', 'trace', endpoint, at ?? 'now'],
    queryFn: ({ signal }): Promise<Trace> =>
      dataOf(
        client.GET('/api/v1/deployments/{endpoint}/trace/', {
          params: { path: { endpoint }, query: at ? { at } : {} },
          signal,
        }),
      ),
    refetchInterval: (query) => (query.state.data && !query.state.data.complete ? 2000 : false),
  });
}

/** `team:name` of an endpoint. */
export function endpointAddress(endpoint: { team: string; name: string }): string {
  return `${endpoint.team}:${endpoint.name}`;
}
