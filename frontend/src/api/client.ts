import createClient from 'openapi-fetch';
import { asksAgain, confirmWho } from './again';
import { Problem, problemOf } from './problem';
import type { paths } from './schema';

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);

export function cookie(name: string): string | null {
  const found = document.cookie.split('; ').find((part) => part.startsWith(`${name}=`));
  return found ? decodeURIComponent(found.slice(name.length + 1)) : null;
}

let onSignedOut: () => void = () => undefined;

/** Called once by the router: what to do when an answer says that the session has ended. */
export function whenSignedOut(handler: () => void): void {
  onSignedOut = handler;
}

/**
 * fetch with the CSRF token of the cookie; no answer at all becomes a Problem of status 0. A request that needs the
 * person to say again who they are is sent once more after they have.
 */
export async function send(request: Request): Promise<Response> {
  // A body can be read once.
  const again = SAFE.has(request.method) && !request.url.includes('/_allauth/') ? null : request.clone();
  const answer = await sendOnce(request);
  if (again === null || !(await asksAgain(answer)) || !(await confirmWho())) return answer;
  return sendOnce(again);
}

async function sendOnce(request: Request): Promise<Response> {
  const token = cookie('csrftoken');
  if (token && !SAFE.has(request.method)) request.headers.set('X-CSRFToken', token);
  try {
    return await fetch(request);
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new Problem({ status: 0, title: 'The server cannot be reached. Check your connection.' });
  }
}

/** The browser's own origin; read late, as tests set it. */
export function here(path = ''): string {
  return new URL(path, window.location.origin).href;
}

/** Paths are absolute, and `team:name` stays readable in them. */
function pathOf(pathname: string, params: Record<string, unknown>): string {
  return pathname.replace(/\{(\w+)\}/g, (_, key: string) =>
    encodeURIComponent(String(params[key])).replaceAll('%3A', ':'),
  );
}

export const client = createClient<paths>({
  baseUrl: window.location.origin,
  fetch: send,
  credentials: 'same-origin',
  pathSerializer: pathOf,
});

client.use({
  async onResponse({ response }) {
    if (response.ok) return undefined;
    const problem = await problemOf(response);
    if (problem.status === 401) onSignedOut();
    throw problem;
  },
});

/**
 * The data of an answer; anything else was thrown as a Problem before. The caller's type may say more exactly what the
 * contract leaves open ("any JSON"), never something else.
 */
export async function dataOf<Contract, Exact extends Contract = Contract>(
  answer: Promise<{ data?: Contract }>,
): Promise<Exact> {
  const { data } = await answer;
  return data as Exact;
}

/** The `cursor` inside the address of the next page, or null at the end. */
export function cursorOf(next: string | null): string | null {
  return next ? new URL(next, window.location.origin).searchParams.get('cursor') : null;
}
