import type { CodeLocation, NewLocation, RepositoryFields } from '../api/code';
import { makeLocation } from './make';
import { found, page, pipelineOf, Refusal, type Handler, type World } from './world';

/* What the fake server answers about code locations. A repository waits for its sync until a test ends it. */

const WAITING = { words: 'waiting for the system worker', per_cent: 0 };

function locationOf(world: World, [id = '']: string[]): CodeLocation {
  return found(world.locations.find((each) => each.id === id));
}

async function register(world: World, _: string[], request: Request): Promise<CodeLocation> {
  const wanted = (await request.json()) as NewLocation & Partial<RepositoryFields>;
  if (wanted.address.includes('@') && wanted.address.startsWith('http')) {
    const message = 'Leave user and password out of the address.';
    throw new Refusal(422, message, [{ field: 'address', message }]);
  }
  const fresh = wanted.kind === 'git' ? { syncing: WAITING, snapshot: null, synced_at: null, state: 'never' as const } : {};
  const location = makeLocation({ ...wanted, ...fresh });
  world.locations.push(location);
  return location;
}

async function change(world: World, params: string[], request: Request): Promise<CodeLocation> {
  const location = locationOf(world, params);
  const wanted = (await request.json()) as Partial<RepositoryFields>;
  if (wanted.address !== undefined && location.secret && wanted.secret === undefined) {
    const message = `The secret '${location.secret}' is for another host: name it again.`;
    throw new Refusal(422, message, [{ field: 'secret', message }]);
  }
  return Object.assign(location, wanted, { syncing: WAITING });
}

function archive(world: World, params: string[]): Response {
  const location = locationOf(world, params);
  world.locations = world.locations.filter((each) => each !== location);
  return new Response(null, { status: 204 });
}

function sync(world: World, params: string[]): CodeLocation {
  const location = locationOf(world, params);
  if (location.kind === 'git') location.syncing = WAITING;
  return { ...location };
}

function codeOf(world: World, name: string): unknown {
  const pipeline = pipelineOf(world, name);
  return world.codes[`${pipeline.team}:${pipeline.name}`] ?? new Response(null, { status: 204 });
}

export const CODE_ROUTES: [string, RegExp, Handler][] = [
  ['POST', /^\/api\/v1\/code-locations\/$/, register],
  ['GET', /^\/api\/v1\/code-locations\/([^/]+)\/$/, (world, params) => ({ ...locationOf(world, params) })],
  ['PATCH', /^\/api\/v1\/code-locations\/([^/]+)\/$/, change],
  ['DELETE', /^\/api\/v1\/code-locations\/([^/]+)\/$/, archive],
  ['POST', /^\/api\/v1\/code-locations\/([^/]+)\/sync\/$/, sync],
  [
    'GET',
    /^\/api\/v1\/code-locations\/([^/]+)\/snapshots\/$/,
    (world, params, _, url) => page(world, [locationOf(world, params).snapshot].filter((each) => each !== null), url),
  ],
  ['GET', /^\/api\/v1\/pipelines\/([^/]+)\/code\/$/, (world, [name = '']) => codeOf(world, name)],
];
