import type { BuildLogSlice, Environment, EnvironmentDetail } from '../api/types';
import { uuid } from './make';
import { found, page, Refusal, type Handler, type World } from './world';

/* What the fake server answers about environments; the text of a log lies beside each. */

export interface FakeEnvironment extends EnvironmentDetail {
  log: string;
}

export function makeEnvironment(change: Partial<FakeEnvironment> = {}): FakeEnvironment {
  const packages = change.packages ?? [{ name: 'numpy', version: '2.1.0' }];
  return {
    id: uuid(),
    lock_sha256: 'a'.repeat(64),
    wanted: '',
    python: '3.11.7',
    state: 'ready',
    progress: '',
    problem: '',
    problem_code: '',
    preload_problems: [],
    package_count: packages.length,
    size: 240 * 1024 * 1024,
    build: 1,
    started_at: '2026-03-01T08:00:00Z',
    built_at: '2026-03-01T08:01:00Z',
    used_at: '2026-03-02T08:00:00Z',
    used_by: [{ id: uuid(), name: 'shop', team: 'demo' }],
    packages,
    hosts: [{ host: 'worker-1', path: '/srv/envs/abc/bin/python', size: 240 * 1024 * 1024 }],
    may_build: true,
    log: '# Installing 1 package\n + numpy==2.1.0\n',
    ...change,
  };
}

function oneOf(world: World, [id = '']: string[]): FakeEnvironment {
  return found(world.environments.find((each) => each.id === id));
}

function shown(environment: FakeEnvironment): Omit<FakeEnvironment, 'log'> {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => name !== 'log')) as Omit<FakeEnvironment, 'log'>;
}

function logOf(world: World, params: string[], _: Request, url: URL): BuildLogSlice {
  const { log, build, state } = oneOf(world, params);
  const offset = Number(url.searchParams.get('offset') ?? 0);
  return { build, offset, text: log.slice(offset), next: log.length, total: log.length, complete: state !== 'building' };
}

function build(world: World, params: string[]): Environment {
  const environment = oneOf(world, params);
  if (environment.state === 'ready') throw new Refusal(409, 'The environment is ready: there is nothing to build.');
  Object.assign(environment, { state: 'missing', progress: 'Waiting for its turn', problem: '', problem_code: '' });
  return shown(environment);
}

export const ENVIRONMENT_ROUTES: [string, RegExp, Handler][] = [
  ['GET', /^\/api\/v1\/environments\/$/, (world, _, __, url) => page(world, world.environments.map(shown), url)],
  ['GET', /^\/api\/v1\/environments\/([^/]+)\/$/, (world, params) => shown(oneOf(world, params))],
  ['GET', /^\/api\/v1\/environments\/([^/]+)\/log\/$/, logOf],
  ['POST', /^\/api\/v1\/environments\/([^/]+)\/build\/$/, build],
];
