import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { client, dataOf } from './client';
import { nextOf } from './pipelines';
import type { Grant, Member, NewToken, Page, Role, Scope, ServiceAccount, Token } from './types';

/* Who may do what: members, service accounts, tokens, and what teams lend to each other. The text of a new token is
   the answer of one function and is kept nowhere. */

export function membersQuery(team: string) {
  return infiniteQueryOptions({
    queryKey: ['members', team, 'list'],
    queryFn: ({ pageParam, signal }): Promise<Page<Member>> =>
      dataOf(client.GET('/api/v1/members/', { params: { query: { team, ...pageParam } }, signal })),
    initialPageParam: {},
    getNextPageParam: (page) => nextOf(page.next),
  });
}

/** Makes these exactly the roles of a person in a team; none takes them out. */
export function setRoles(team: string, username: string, roles: Role[]): Promise<Member> {
  return dataOf(client.POST('/api/v1/members/', { body: { team, username, roles } }));
}

// --- service accounts

export function serviceAccountsQuery(team: string) {
  return infiniteQueryOptions({
    queryKey: ['service-accounts', 'list', team],
    queryFn: ({ pageParam, signal }): Promise<Page<ServiceAccount>> =>
      dataOf(client.GET('/api/v1/service-accounts/', { params: { query: { team, ...pageParam } }, signal })),
    initialPageParam: {},
    getNextPageParam: (page) => nextOf(page.next),
  });
}

export function serviceAccountQuery(username: string) {
  return queryOptions({
    queryKey: ['service-accounts', 'one', username],
    queryFn: ({ signal }): Promise<ServiceAccount> =>
      dataOf(client.GET('/api/v1/service-accounts/{username}/', { params: { path: { username } }, signal })),
  });
}

export function makeServiceAccount(account: { team: string; username: string; name: string; roles: Role[] }): Promise<ServiceAccount> {
  return dataOf(client.POST('/api/v1/service-accounts/', { body: account }));
}

export function changeServiceAccount(username: string, change: { roles?: Role[]; active?: boolean }): Promise<ServiceAccount> {
  return dataOf(client.PATCH('/api/v1/service-accounts/{username}/', { params: { path: { username } }, body: change }));
}

// --- tokens

export interface WantedToken {
  name: string;
  scopes: Scope[];
  days: number;
  /** Null: every team of its person. */
  team: string | null;
}

/** Whose tokens: one's own, or those of a service account. */
export type TokenOwner = { username: string } | null;

export function tokensQuery(owner: TokenOwner) {
  return infiniteQueryOptions({
    queryKey: ['tokens', owner?.username ?? null],
    queryFn: ({ pageParam, signal }): Promise<Page<Token>> =>
      dataOf(
        owner === null
          ? client.GET('/api/v1/tokens/', { params: { query: pageParam as never }, signal })
          : client.GET('/api/v1/service-accounts/{username}/tokens/', { params: { path: owner, query: pageParam as never }, signal }),
      ),
    initialPageParam: {},
    getNextPageParam: (page) => nextOf(page.next),
  });
}

export function makeToken(owner: TokenOwner, { team, ...wanted }: WantedToken): Promise<NewToken> {
  const body = { ...wanted, ...(team === null ? {} : { team }) };
  return dataOf(
    owner === null
      ? client.POST('/api/v1/tokens/', { body })
      : client.POST('/api/v1/service-accounts/{username}/tokens/', { params: { path: owner }, body }),
  );
}

export async function revokeToken(owner: TokenOwner, id: string): Promise<void> {
  if (owner === null) await client.DELETE('/api/v1/tokens/{id}/', { params: { path: { id } } });
  else await client.DELETE('/api/v1/service-accounts/{username}/tokens/{id}/', { params: { path: { ...owner, id } } });
}

// --- what teams lend to each other

/** Of one thing, or all that a team has given and received. */
export type GrantsOf = { object: string } | { team: string; way: 'given' | 'received' };

export function grantsQuery(of: GrantsOf) {
  return infiniteQueryOptions({
    queryKey: ['grants', of],
    queryFn: ({ pageParam, signal }): Promise<Page<Grant>> =>
      dataOf(client.GET('/api/v1/grants/', { params: { query: { ...of, ...pageParam } }, signal })),
    initialPageParam: {},
    getNextPageParam: (page) => nextOf(page.next),
  });
}

export function lend(grant: { kind: string; object: string; team: string; verb: string }): Promise<Grant> {
  return dataOf(client.POST('/api/v1/grants/', { body: grant }));
}

export async function endGrant(id: string): Promise<void> {
  await client.DELETE('/api/v1/grants/{id}/', { params: { path: { id } } });
}
