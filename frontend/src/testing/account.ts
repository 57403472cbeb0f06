import type { Authenticator, Session, Ways } from '../api/account';
import { makeMe } from './make';
import { found, Refusal, type Handler, type World } from './world';

/* What the fake server answers about signing in and about one's own account. */

const HERE = '/_allauth/browser/v1';

export interface FakeAccount {
  waysIn: { password: boolean; providers: { id: string; name: string }[] };
  ways: Ways;
  sessions: Session[];
  authenticators: Authenticator[];
  /** What the second step and the authenticator app take. */
  code: string;
  /** A sign-in that waits for its code: by whom. */
  pending: string | null;
  /** Whether the person must say again who they are before doors are opened. */
  asks: boolean;
}

export function makeAccount(change: Partial<FakeAccount> = {}): FakeAccount {
  return {
    waysIn: { password: true, providers: [] },
    ways: { password: true, code: false, identities: [], providers: [] },
    sessions: [makeSession({ is_current: true })],
    authenticators: [],
    code: '123456',
    pending: null,
    asks: false,
    ...change,
  };
}

export function makeSession(change: Partial<Session> = {}): Session {
  return {
    id: 1,
    user_agent: 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
    ip: '203.0.113.7',
    created_at: 1_770_000_000,
    last_seen_at: 1_770_003_600,
    is_current: false,
    ...change,
  };
}

function refusal(code: string, message: string, param?: string): Response {
  return new Response(JSON.stringify({ status: 400, errors: [{ code, message, ...(param ? { param } : {}) }] }), { status: 400 });
}

function standing(world: World): Response {
  const flows = world.account.pending === null ? [] : [{ id: 'mfa_authenticate', is_pending: true }];
  const status = world.me ? 200 : 401;
  return new Response(JSON.stringify({ status, data: { flows }, meta: { is_authenticated: world.me !== null } }), { status });
}

async function login(world: World, _: string[], request: Request): Promise<unknown> {
  const { username, password } = (await request.json()) as { username: string; password: string };
  if (password !== world.password) return refusal('username_password_mismatch', 'User name or password is wrong.', 'password');
  if (world.account.authenticators.length > 0) world.account.pending = username;
  else world.me = makeMe({ username });
  return standing(world);
}

async function giveCode(world: World, _: string[], request: Request): Promise<unknown> {
  const { code } = (await request.json()) as { code: string };
  if (code !== world.account.code) return refusal('incorrect_code', 'This code is wrong, or was used already: wait for the next one that the app shows.', 'code');
  world.me = makeMe({ username: world.account.pending ?? '' });
  world.account.pending = null;
  return standing(world);
}

function signOut(world: World): Response {
  world.me = null;
  return standing(world);
}

/** Refuses what opens doors until the person has said again who they are. */
export function askAgain(world: World): void {
  if (!world.account.asks) return;
  throw new Refusal(403, 'Confirm that it is you: you last did so more than 15 minutes ago.', undefined, 'reauthentication-required');
}

async function confirmBy(world: World, request: Request, field: 'password' | 'code'): Promise<unknown> {
  const typed = ((await request.json()) as Record<string, string>)[field];
  const right = field === 'password' ? world.password : world.account.code;
  if (typed !== right) return refusal('incorrect', field === 'password' ? 'This is not your password.' : 'This code is wrong, or was used already: wait for the next one that the app shows.', field);
  world.account.asks = false;
  return standing(world);
}

async function changePassword(world: World, _: string[], request: Request): Promise<unknown> {
  askAgain(world);
  const { current_password: current, new_password: fresh } = (await request.json()) as Record<string, string>;
  if (current !== world.password) return refusal('incorrect_password', 'This is not your password.', 'current_password');
  world.password = fresh ?? '';
  return standing(world);
}

function beginApp(world: World): Response {
  askAgain(world);
  return new Response(JSON.stringify({ status: 404, meta: { secret: 'JBSWY3DPEHPK3PXP' } }), { status: 404 });
}

async function turnOn(world: World, _: string[], request: Request): Promise<unknown> {
  askAgain(world);
  const { code } = (await request.json()) as { code: string };
  if (code !== world.account.code) return refusal('incorrect_code', 'This code is wrong, or was used already: wait for the next one that the app shows.', 'code');
  world.account.authenticators = [
    { type: 'totp', created_at: 1_770_000_000, last_used_at: null },
    { type: 'recovery_codes', created_at: 1_770_000_000, last_used_at: null, unused_code_count: 2, total_code_count: 2 },
  ];
  return { status: 200 };
}

function turnOff(world: World): unknown {
  askAgain(world);
  world.account.authenticators = [];
  return { status: 200 };
}

const codesOf = (codes: string[]) => ({ status: 200, data: { unused_codes: codes, unused_code_count: 2, total_code_count: 2 } });

async function endSessions(world: World, _: string[], request: Request): Promise<unknown> {
  const { sessions } = (await request.json()) as { sessions: number[] };
  world.account.sessions = world.account.sessions.filter((each) => !sessions.includes(each.id));
  return { status: 200, data: world.account.sessions };
}

function unlink(world: World, [id]: string[]): Response {
  askAgain(world);
  const { ways } = world.account;
  found(ways.identities.find((each) => String(each.id) === id));
  world.account.ways = { ...ways, identities: ways.identities.filter((each) => String(each.id) !== id) };
  return new Response(null, { status: 204 });
}

async function addressAt(world: World, _: string[], request: Request): Promise<unknown> {
  const { provider, purpose } = (await request.json()) as Record<string, string>;
  if (purpose === 'link') askAgain(world);
  return { url: `https://${provider ?? ''}.example/authorize` };
}

const at = (path: string) => new RegExp(`^${HERE}/${path}$`);

export const ACCOUNT_ROUTES: [string, RegExp, Handler][] = [
  ['GET', at('ways-in'), (world) => world.account.waysIn],
  ['GET', at('auth/session'), (world) => standing(world)],
  ['DELETE', at('auth/session'), (world) => signOut(world)],
  ['POST', at('auth/login'), login],
  ['POST', at('auth/2fa/authenticate'), giveCode],
  ['POST', at('auth/provider'), addressAt],
  ['POST', at('auth/password/request'), () => ({ status: 200 })],
  ['POST', at('auth/password/reset'), (world) => standing(world)],
  ['POST', at('auth/reauthenticate'), (world, _, request) => confirmBy(world, request, 'password')],
  ['POST', at('auth/2fa/reauthenticate'), (world, _, request) => confirmBy(world, request, 'code')],
  ['GET', at('account/ways'), (world) => world.account.ways],
  ['POST', at('account/password/change'), changePassword],
  ['GET', at('account/authenticators'), (world) => ({ data: world.account.authenticators })],
  ['GET', at('account/authenticators/totp'), beginApp],
  ['GET', at('account/authenticators/totp/picture'), () => ({ size: 5, path: 'M2 2h1v1h-1z' })],
  ['POST', at('account/authenticators/totp'), turnOn],
  ['DELETE', at('account/authenticators/totp'), turnOff],
  ['GET', at('account/authenticators/recovery-codes'), () => codesOf(['11112222', '33334444'])],
  ['POST', at('account/authenticators/recovery-codes'), () => codesOf(['55556666', '77778888'])],
  ['GET', at('auth/sessions'), (world) => ({ data: world.account.sessions })],
  ['DELETE', at('auth/sessions'), endSessions],
  ['POST', at('account/identities/(\\d+)'), unlink],
];
