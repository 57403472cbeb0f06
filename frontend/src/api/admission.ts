import { queryOptions } from '@tanstack/react-query';
import { client, dataOf } from './client';
import type { Quarantine, TeamLimits, WantedLimits } from './types';

/* What may begin: what teams may have at a time, and tasks in quarantine. */

export function teamLimitsQuery(team: string) {
  return queryOptions({
    queryKey: ['team-limits', team],
    queryFn: ({ signal }): Promise<TeamLimits> =>
      dataOf(client.GET('/api/v1/teams/{slug}/limits/', { params: { path: { slug: team } }, signal })),
  });
}

/** A team has these limits and no others. */
export function setTeamLimits(team: string, limits: WantedLimits): Promise<TeamLimits> {
  return dataOf(client.PUT('/api/v1/teams/{slug}/limits/', { params: { path: { slug: team } }, body: limits }));
}

/** The tasks of a pipeline that are in quarantine now; more than a page of them says no more than the first ones. */
export function quarantinesQuery(pipeline: string) {
  return queryOptions({
    queryKey: ['quarantines', pipeline],
    queryFn: async ({ signal }): Promise<Quarantine[]> => {
      const page = await dataOf(client.GET('/api/v1/quarantines/', { params: { query: { pipeline, open: true } }, signal }));
      return page.results;
    },
  });
}

export function liftQuarantine(id: string, comment: string): Promise<Quarantine> {
  return dataOf(
    client.POST('/api/v1/quarantines/{id}/lift/', { params: { path: { id } }, body: { comment } }),
  );
}
