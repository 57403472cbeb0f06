import type { Grant, Member, NewToken, Role, ServiceAccount, Token } from '../api/types';
import { ana, uuid } from './make';
import { makeMember } from './people';
import { found, page, Refusal, type Handler, type World } from './world';

/* What the fake server answers about roles, service accounts, tokens and what is lent. */

export function makeToken(name: string, change: Partial<Token> = {}): Token {
  return {
    id: uuid(),
    name,
    team: 'demo',
    state: 'usable',
    scopes: ['read'],
    created_at: '2026-03-01T08:00:00Z',
    expires_at: '2030-03-01T08:00:00Z',
    last_used_at: null,
    revoked_at: null,
    ...change,
  };
}

export function makeServiceAccount(username: string, change: Partial<ServiceAccount> = {}): ServiceAccount {
  return {
    username,
    name: 'Uploads every night',
    team: 'demo',
    roles: ['viewer'],
    active: true,
    tokens: 0,
    last_used_at: null,
    created_at: '2026-03-01T08:00:00Z',
    created_by: ana,
    ...change,
  };
}

export function makeGrant(name: string, change: Partial<Grant> = {}): Grant {
  return {
    id: uuid(),
    kind: 'secret',
    object: uuid(),
    name,
    owner: name.split(':')[0] ?? 'demo',
    team: 'risk',
    verb: 'use',
    created_at: '2026-03-01T08:00:00Z',
    created_by: ana,
    can_end: true,
    ...change,
  };
}

async function setRoles(world: World, _: string[], request: Request): Promise<Member> {
  const { team, username, roles } = (await request.json()) as { team: string; username: string; roles: Role[] };
  const known = world.members.find((each) => each.username === username);
  if (!known && username !== 'dewi') {
    throw new Refusal(422, `There is no '${username}': ask a site admin to make the account.`, [{ field: 'username', message: 'Nobody has this user name.' }]);
  }
  const member = Object.assign(known ?? makeMember({ username, name: 'Dewi', team }), { roles });
  world.members = [...world.members.filter((each) => each !== member), ...(roles.length > 0 ? [member] : [])];
  return member;
}

function accountOf(world: World, [username = '']: string[]): ServiceAccount {
  return found(world.serviceAccounts.find((each) => each.username === username));
}

async function addAccount(world: World, _: string[], request: Request): Promise<ServiceAccount> {
  const wanted = (await request.json()) as Partial<ServiceAccount> & { username: string };
  if (world.serviceAccounts.some((each) => each.username === wanted.username)) {
    throw new Refusal(409, `Somebody has the user name '${wanted.username}' or the address already.`);
  }
  const account = makeServiceAccount(wanted.username, wanted);
  world.serviceAccounts.push(account);
  return account;
}

async function changeAccount(world: World, params: string[], request: Request): Promise<ServiceAccount> {
  const wanted = (await request.json()) as Partial<ServiceAccount>;
  const account = Object.assign(accountOf(world, params), wanted);
  if (!account.active) for (const token of world.tokens[account.username] ?? []) token.state = 'revoked';
  return account;
}

function tokensOf(world: World, owner = ''): Token[] {
  world.tokens[owner] ??= [];
  return world.tokens[owner];
}

async function addToken(world: World, [owner]: string[], request: Request): Promise<NewToken> {
  const wanted = (await request.json()) as Partial<Token> & { name: string; days: number };
  const token = makeToken(wanted.name, { scopes: wanted.scopes ?? [], team: wanted.team ?? null });
  tokensOf(world, owner).unshift(token);
  return { ...token, token: 'the-text-of-the-token' };
}

function revoke(world: World, owner: string | undefined, id: string | undefined): Response {
  found(tokensOf(world, owner).find((each) => each.id === id)).state = 'revoked';
  return new Response(null, { status: 204 });
}

function listGrants(world: World, url: URL) {
  const object = url.searchParams.get('object');
  const team = url.searchParams.get('team');
  const side = url.searchParams.get('way') === 'received' ? 'team' : 'owner';
  const fits = (each: Grant) => (object === null || each.object === object) && (team === null || each[side] === team);
  return page(world, world.grants.filter(fits), url);
}

async function lend(world: World, _: string[], request: Request): Promise<Grant> {
  const wanted = (await request.json()) as Pick<Grant, 'kind' | 'object' | 'team' | 'verb'>;
  if (wanted.team === 'nowhere') {
    throw new Refusal(422, "There is no team 'nowhere'.", [{ field: 'team', message: 'No team has this name.' }]);
  }
  const grant = makeGrant('demo:shared', wanted);
  world.grants.unshift(grant);
  return grant;
}

function takeBack(world: World, [id = '']: string[]): Response {
  const grant = found(world.grants.find((each) => each.id === id));
  world.grants = world.grants.filter((each) => each !== grant);
  return new Response(null, { status: 204 });
}

const ACCOUNT = '/api/v1/service-accounts/([^/]+)/';

export const ACCESS_ROUTES: [string, RegExp, Handler][] = [
  ['POST', /^\/api\/v1\/members\/$/, setRoles],
  ['GET', /^\/api\/v1\/service-accounts\/$/, (world, _, __, url) => page(world, world.serviceAccounts, url)],
  ['POST', /^\/api\/v1\/service-accounts\/$/, addAccount],
  ['GET', new RegExp(`^${ACCOUNT}$`), (world, params) => accountOf(world, params)],
  ['PATCH', new RegExp(`^${ACCOUNT}$`), changeAccount],
  ['GET', new RegExp(`^${ACCOUNT}tokens/$`), (world, [owner], _, url) => page(world, tokensOf(world, owner), url)],
  ['POST', new RegExp(`^${ACCOUNT}tokens/$`), addToken],
  ['DELETE', new RegExp(`^${ACCOUNT}tokens/([^/]+)/$`), (world, [owner, id]) => revoke(world, owner, id)],
  ['GET', /^\/api\/v1\/tokens\/$/, (world, _, __, url) => page(world, tokensOf(world), url)],
  ['POST', /^\/api\/v1\/tokens\/$/, addToken],
  ['DELETE', /^\/api\/v1\/tokens\/([^/]+)\/$/, (world, [id]) => revoke(world, '', id)],
  ['GET', /^\/api\/v1\/grants\/$/, (world, _, __, url) => listGrants(world, url)],
  ['POST', /^\/api\/v1\/grants\/$/, lend],
  ['DELETE', /^\/api\/v1\/grants\/([^/]+)\/$/, takeBack],
];
