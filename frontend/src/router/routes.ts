import { createRootRouteWithContext, createRoute, createRouter, redirect } from '@tanstack/react-router';
import type { QueryClient } from '@tanstack/react-query';
import { meQuery } from '../api/me';
import { Problem } from '../api/problem';
import type { RunState } from '../api/types';
import { parseComparisonSearch, parseEditorSearch } from '../editor/search';
import { parseRunSearch, runState } from '../runs/search';
import { isConsole, placeOf } from './place';
import { setFormat } from '../ui/format';

/* The addresses of the product and what they may carry. What is drawn there is said in router.tsx: pages read
   their own address through these types, so the types cannot depend on the pages. */

const whole = (value: unknown) => (Number.isInteger(value) && Number(value) > 0 ? Number(value) : undefined);
const text = (value: unknown) => (typeof value === 'string' && value !== '' ? value : undefined);

export const root = createRootRouteWithContext<{ queryClient: QueryClient }>()();

export const signIn = createRoute({
  getParentRoute: () => root,
  path: '/sign-in',
  validateSearch: (raw: Record<string, unknown>): { next?: string | undefined; error?: string | undefined } => ({
    next: text(raw.next),
    error: text(raw.error),
  }),
  beforeLoad: async ({ search, context }) => {
    try {
      // Asked anew: what is remembered may be of a session that has ended.
      await context.queryClient.query({ ...meQuery, staleTime: 0 });
    } catch {
      return;
    }
    const href = placeOf(search.next);
    throw redirect({ href, replace: true, reloadDocument: isConsole(href) });
  },
});

export const forgotten = createRoute({ getParentRoute: () => root, path: '/sign-in/reset' });
export const reset = createRoute({ getParentRoute: () => root, path: '/sign-in/reset/$key' });
export const again = createRoute({
  getParentRoute: () => root,
  path: '/sign-in/again',
  validateSearch: (raw: Record<string, unknown>): { next?: string | undefined } => ({ next: text(raw.next) }),
});
export const confirmed = createRoute({
  getParentRoute: () => root,
  path: '/sign-in/confirmed',
  validateSearch: (raw: Record<string, unknown>): { error?: string | undefined } => ({ error: text(raw.error) }),
});

/** Everything behind sign-in. */
export const shell = createRoute({
  getParentRoute: () => root,
  id: 'shell',
  beforeLoad: async ({ location, context }) => {
    try {
      setFormat(await context.queryClient.query({ ...meQuery, staleTime: 'static' }));
    } catch (error) {
      if (error instanceof Problem && (error.status === 401 || error.status === 403)) {
        throw redirect({ to: '/sign-in', search: { next: location.href } });
      }
      throw error;
    }
  },
});

const home = createRoute({
  getParentRoute: () => shell,
  path: '/',
  beforeLoad: () => {
    throw redirect({ to: '/pipelines' });
  },
});

export interface PipelinesSearch {
  q?: string | undefined;
  state?: string | undefined;
  /** Whose: one's own, or those without an active owner. */
  owner?: 'me' | 'none' | undefined;
}

export const pipelines = createRoute({
  getParentRoute: () => shell,
  path: '/pipelines',
  validateSearch: (raw: Record<string, unknown>): PipelinesSearch => ({
    q: text(raw.q),
    state: text(raw.state),
    owner: raw.owner === 'me' || raw.owner === 'none' ? raw.owner : undefined,
  }),
});

export const pipeline = createRoute({
  getParentRoute: () => shell,
  path: '/pipelines/$name',
  validateSearch: (raw: Record<string, unknown>): { version?: number | undefined } => ({
    version: whole(raw.version),
  }),
});

export const editor = createRoute({
  getParentRoute: () => shell,
  path: '/pipelines/$name/edit',
  validateSearch: parseEditorSearch,
});

export const versions = createRoute({ getParentRoute: () => shell, path: '/pipelines/$name/versions' });

export const comparison = createRoute({
  getParentRoute: () => shell,
  path: '/pipelines/$name/versions/diff',
  validateSearch: parseComparisonSearch,
});

export const runs = createRoute({
  getParentRoute: () => shell,
  path: '/runs',
  validateSearch: (raw: Record<string, unknown>): { pipeline?: string | undefined; state?: RunState | undefined } => ({
    pipeline: text(raw.pipeline),
    state: runState(raw.state),
  }),
});

export const run = createRoute({ getParentRoute: () => shell, path: '/runs/$runId', validateSearch: parseRunSearch });

/** Any other address, so that the navigation stays beside the sentence. */
export const nowhere = createRoute({ getParentRoute: () => shell, path: '/$' });
export const deployments = createRoute({ getParentRoute: () => shell, path: '/deployments' });

export interface DeploymentSearch {
  /** ISO moment; now when absent. */
  at?: string | undefined;
  node?: string | undefined;
  view?: 'list' | undefined;
}

export const deployment = createRoute({
  getParentRoute: () => shell,
  path: '/deployments/$endpoint',
  validateSearch: (raw: Record<string, unknown>): DeploymentSearch => ({
    at: text(raw.at),
    node: text(raw.node),
    view: raw.view === 'list' ? 'list' : undefined,
  }),
});

export interface ArtifactSearch {
  /** Of a table: its profile instead of its first rows. */
  tab?: 'profile' | undefined;
  /** Of a folder: the file that is looked into. */
  path?: string | undefined;
  /** Of a folder: part of the path of its files. */
  q?: string | undefined;
  view?: 'list' | undefined;
}

export const code = createRoute({ getParentRoute: () => shell, path: '/code' });

export const location = createRoute({ getParentRoute: () => shell, path: '/code/$locationId' });

export const secrets = createRoute({ getParentRoute: () => shell, path: '/settings/secrets' });

export const members = createRoute({
  getParentRoute: () => shell,
  path: '/settings/members',
  validateSearch: (raw: Record<string, unknown>): { team?: string | undefined } => ({ team: text(raw.team) }),
});
export const tokens = createRoute({ getParentRoute: () => shell, path: '/settings/tokens' });
export const serviceAccount = createRoute({ getParentRoute: () => shell, path: '/settings/service-accounts/$username' });

export const environments = createRoute({ getParentRoute: () => shell, path: '/environments' });
export const environment = createRoute({ getParentRoute: () => shell, path: '/environments/$environmentId' });

export const artifact = createRoute({
  getParentRoute: () => shell,
  path: '/artifacts/$artifactId',
  validateSearch: (raw: Record<string, unknown>): ArtifactSearch => ({
    tab: raw.tab === 'profile' ? 'profile' : undefined,
    path: text(raw.path),
    q: text(raw.q),
    view: raw.view === 'list' ? 'list' : undefined,
  }),
});

export const account = createRoute({
  getParentRoute: () => shell,
  path: '/account',
  validateSearch: (raw: Record<string, unknown>): { error?: string | undefined } => ({ error: text(raw.error) }),
});

const tree = root.addChildren([
  signIn,
  forgotten,
  reset,
  again,
  confirmed,
  shell.addChildren([home, pipelines, pipeline, editor, versions, comparison, runs, run, deployments, deployment, artifact, code, location, environments, environment, secrets, members, tokens, serviceAccount, account, nowhere]),
]);

export function makeRouter(queryClient: QueryClient) {
  return createRouter({
    routeTree: tree,
    context: { queryClient },
    defaultPreload: 'intent',
    defaultPendingMs: 150,
    scrollRestoration: true,
    // `team:name` stays readable in an address.
    pathParamsAllowedCharacters: [':'],
  });
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof makeRouter>;
  }
}
