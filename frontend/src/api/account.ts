import { queryOptions } from '@tanstack/react-query';
import { here, send } from './client';
import { Problem, problemOf } from './problem';

/* Signing in and one's own account: the addresses of allauth that the product uses, and a few beside them. */

const BASE = '/_allauth/browser/v1/';

interface Flow {
  id: string;
  is_pending?: boolean;
}

interface Answer {
  status: number;
  errors?: { message: string; code: string; param?: string }[];
  data?: { flows?: Flow[] };
  /** Of a problem of ours. */
  title?: string;
  detail?: string;
}

const TITLES: Record<number, string> = {
  403: 'This page was open too long. Reload it and try again.',
  409: 'This cannot be done now. Reload the page and try again.',
  429: 'Too many attempts. Wait a minute and try again.',
};

/** What was refused, as allauth says it or as our own problems do. */
async function refusalOf(response: Response): Promise<Problem> {
  const copy = response.clone();
  const answer = (await response.json().catch(() => null)) as Answer | null;
  if (!answer?.errors) return answer?.detail || answer?.title ? problemOf(copy) : plain(response.status);
  const { errors } = answer;
  return new Problem({
    status: response.status,
    title: errors.find((error) => !error.param)?.message ?? errors[0]?.message ?? plain(response.status).message,
    code: errors[0]?.code,
    errors: errors.flatMap((error) => (error.param ? [{ field: error.param, message: error.message }] : [])),
  });
}

function plain(status: number): Problem {
  return new Problem({ status, title: TITLES[status] ?? `The server answered ${status}. Try again in a moment.` });
}

function ask(path: string, method: string, body?: unknown): Promise<Response> {
  return send(
    new Request(here(BASE + path), {
      method,
      headers: { Accept: 'application/json', 'Content-Type': 'application/json' },
      body: body === undefined ? null : JSON.stringify(body),
    }),
  );
}

/** The JSON of a 2xx answer; anything else is thrown as a Problem. */
async function told<T>(path: string, method = 'GET', body?: unknown): Promise<T> {
  const response = await ask(path, method, body);
  if (!response.ok) throw await refusalOf(response);
  return (response.status === 204 ? undefined : await response.json()) as T;
}

// --- signing in ---------------------------------------------------------------------------------------------

/** What signing in has come to: done, a code is asked for, or nothing yet. */
export type Standing = 'signed-in' | 'code' | 'signed-out';

async function standingOf(response: Response): Promise<Standing> {
  // 409: a session is open already, for instance from another tab.
  if (response.ok || response.status === 409) return 'signed-in';
  const answer = (await response.clone().json().catch(() => null)) as Answer | null;
  if (answer?.data?.flows?.some((flow) => flow.is_pending && flow.id === 'mfa_authenticate')) return 'code';
  if (response.status === 401) return 'signed-out';
  throw await refusalOf(response);
}

export async function standing(): Promise<Standing> {
  return standingOf(await ask('auth/session', 'GET'));
}

/** Opens a session or asks for a code; throws a Problem whose fields are `username` and `password`. */
export async function signIn(username: string, password: string): Promise<Standing> {
  return standingOf(await ask('auth/login', 'POST', { username, password }));
}

/** The second step: a code of the authenticator app, or a recovery code. */
export async function giveCode(code: string): Promise<Standing> {
  return standingOf(await ask('auth/2fa/authenticate', 'POST', { code }));
}

export async function signOut(): Promise<void> {
  const response = await ask('auth/session', 'DELETE');
  // allauth answers 401 to say that there is no session any more, which is what was asked for.
  if (!response.ok && response.status !== 401) throw await refusalOf(response);
}

export interface WaysIn {
  password: boolean;
  providers: { id: string; name: string }[];
}

export const waysInQuery = queryOptions({
  queryKey: ['ways-in'],
  queryFn: () => told<WaysIn>('ways-in'),
  staleTime: 60_000,
});

export type Purpose = 'sign-in' | 'link' | 'again';

/** Where to go at a provider; the browser comes back to `next`. */
export async function addressAt(provider: string, purpose: Purpose, next: string): Promise<string> {
  return (await told<{ url: string }>('auth/provider', 'POST', { provider, purpose, next })).url;
}

export function askForPassword(email: string): Promise<unknown> {
  return told('auth/password/request', 'POST', { email });
}

/** A new password by the key of an e-mail; the session stays closed, which allauth says with 401. */
export async function resetPassword(key: string, password: string): Promise<void> {
  const response = await ask('auth/password/reset', 'POST', { key, password });
  if (!response.ok && response.status !== 401) throw await refusalOf(response);
}

// --- saying again who one is --------------------------------------------------------------------------------

export function confirmByPassword(password: string): Promise<unknown> {
  return told('auth/reauthenticate', 'POST', { password });
}

export function confirmByCode(code: string): Promise<unknown> {
  return told('auth/2fa/reauthenticate', 'POST', { code });
}

/** Resolves once the person has said lately who they are, asking them if need be. */
export function confirmed(): Promise<unknown> {
  return told('auth/confirm', 'POST');
}

// --- one's own account --------------------------------------------------------------------------------------

export interface Identity {
  id: number;
  provider: string;
  name: string;
  email: string | null;
  /** Whether its provider is still configured. */
  known: boolean;
}

export interface Ways {
  password: boolean;
  code: boolean;
  identities: Identity[];
  providers: { id: string; name: string }[];
}

export const waysQuery = queryOptions({ queryKey: ['account', 'ways'], queryFn: () => told<Ways>('account/ways') });

export function changePassword(current: string, next: string): Promise<unknown> {
  return told('account/password/change', 'POST', { ...(current === '' ? {} : { current_password: current }), new_password: next });
}

export function unlink(identity: Identity): Promise<unknown> {
  return told(`account/identities/${identity.id}`, 'POST');
}

export interface Session {
  id: number;
  user_agent: string;
  ip: string;
  /** Unix time, seconds. */
  created_at: number;
  last_seen_at: number;
  is_current: boolean;
}

export const sessionsQuery = queryOptions({
  queryKey: ['account', 'sessions'],
  queryFn: async () => (await told<{ data: Session[] }>('auth/sessions')).data,
});

export function endSessions(ids: number[]): Promise<unknown> {
  return told('auth/sessions', 'DELETE', { sessions: ids });
}

export interface SetUp {
  secret: string;
  /** The QR code: an SVG path of unit squares, `size` of them wide and high. */
  size: number;
  path: string;
}

/** A fresh secret for an authenticator app; asks first who one is. */
export async function beginSetUp(): Promise<SetUp> {
  const response = await ask('account/authenticators/totp', 'GET');
  // 404 says that there is no app yet, and carries the secret for one.
  if (response.status !== 404) throw response.ok ? new Problem({ status: 409, title: 'There is an authenticator app already. Reload the page.' }) : await refusalOf(response);
  const { meta } = (await response.json()) as { meta: { secret: string } };
  const picture = await told<{ size: number; path: string }>('account/authenticators/totp/picture');
  return { secret: meta.secret, ...picture };
}

export function finishSetUp(code: string): Promise<unknown> {
  return told('account/authenticators/totp', 'POST', { code });
}

export function removeApp(): Promise<unknown> {
  return told('account/authenticators/totp', 'DELETE');
}

interface Codes {
  data: { unused_codes?: string[]; unused_code_count: number; total_code_count: number };
}

/** Recovery codes that nobody has seen yet; empty once they were shown. */
export async function unseenCodes(): Promise<string[]> {
  return (await told<Codes>('account/authenticators/recovery-codes')).data.unused_codes ?? [];
}

export async function newCodes(): Promise<string[]> {
  return (await told<Codes>('account/authenticators/recovery-codes', 'POST', {})).data.unused_codes ?? [];
}

export interface Authenticator {
  type: 'totp' | 'recovery_codes';
  created_at: number;
  last_used_at: number | null;
  unused_code_count?: number;
  total_code_count?: number;
}

export const authenticatorsQuery = queryOptions({
  queryKey: ['account', 'authenticators'],
  queryFn: async () => (await told<{ data: Authenticator[] }>('account/authenticators')).data,
});
