import { here, send } from './client';
import { Problem, problemOf } from './problem';

const SESSION = '/_allauth/browser/v1/auth/session';
const LOGIN = '/_allauth/browser/v1/auth/login';

interface AllauthAnswer {
  status: number;
  errors?: { message: string; code: string; param?: string }[];
  data?: { flows?: { id: string; is_pending?: boolean }[] };
}

const PENDING: Record<string, string> = {
  mfa_authenticate: 'This account asks for a second factor, which this page cannot take yet.',
  verify_email: 'Confirm your e-mail address first: we have sent you a message.',
};

function refusal(status: number, answer: AllauthAnswer | null): Problem {
  const errors = answer?.errors ?? [];
  const pending = answer?.data?.flows?.find((flow) => flow.is_pending);
  const title =
    (pending && PENDING[pending.id]) ??
    errors.find((error) => !error.param)?.message ??
    (status === 429 ? 'Too many attempts. Wait a few minutes and try again.' : null) ??
    (status === 403 ? 'This page was open too long. Reload it and sign in again.' : null) ??
    errors[0]?.message ??
    `The server answered ${status}. Try again in a moment.`;
  return new Problem({
    status,
    title,
    code: errors[0]?.code,
    errors: errors.flatMap((error) => (error.param ? [{ field: error.param, message: error.message }] : [])),
  });
}

async function jsonRequest(path: string, method: string, body?: unknown): Promise<Response> {
  return send(
    new Request(here(path), {
      method,
      headers: { Accept: 'application/json', 'Content-Type': 'application/json' },
      body: body === undefined ? null : JSON.stringify(body),
    }),
  );
}

/** Opens a session, or throws a Problem whose fields are `username` and `password`. */
export async function signIn(username: string, password: string): Promise<void> {
  const response = await jsonRequest(LOGIN, 'POST', { username, password });
  // 409: a session is open already, for instance from another tab.
  if (response.ok || response.status === 409) return;
  const answer = (await response.json().catch(() => null)) as AllauthAnswer | null;
  throw refusal(response.status, answer);
}

export async function signOut(): Promise<void> {
  const response = await jsonRequest(SESSION, 'DELETE');
  // allauth answers 401 to say that there is no session any more, which is what was asked for.
  if (!response.ok && response.status !== 401) throw await problemOf(response);
}
