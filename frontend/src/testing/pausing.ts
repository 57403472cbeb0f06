import type { Paused, PauseWish } from '../api/types';
import { unpaused } from './make';
import { found, pipelineOf, type Handler, type World } from './world';

/* What the fake server answers about pauses. */

const runOf = (world: World, id: string) => found(world.runs.find((run) => run.id === id));

async function paused(world: World, request: Request): Promise<Paused> {
  const { reason, until = null } = (await request.json()) as PauseWish;
  const by = world.me ? { username: world.me.username, name: world.me.name } : null;
  return { paused_at: new Date().toISOString(), paused_by: by, paused_until: until, paused_reason: reason };
}

export const PAUSE_ROUTES: [string, RegExp, Handler][] = [
  [
    'POST',
    /^\/api\/v1\/runs\/([^/]+)\/pause\/$/,
    async (world, [id = ''], request) => Object.assign(runOf(world, id), await paused(world, request)),
  ],
  ['POST', /^\/api\/v1\/runs\/([^/]+)\/unpause\/$/, (world, [id = '']) => Object.assign(runOf(world, id), unpaused)],
  [
    'POST',
    /^\/api\/v1\/pipelines\/([^/]+)\/pause\/$/,
    async (world, [name = ''], request) => Object.assign(pipelineOf(world, name), await paused(world, request)),
  ],
  ['POST', /^\/api\/v1\/pipelines\/([^/]+)\/unpause\/$/, (world, [name = '']) => Object.assign(pipelineOf(world, name), unpaused)],
];
