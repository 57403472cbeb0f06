import type { Quarantine, TeamLimits, WantedLimits } from '../api/types';
import { uuid } from './make';
import { found, page, type Handler, type World } from './world';

/* What the fake server answers about the limits of teams and about tasks in quarantine. */

export function makeLimits(change: Partial<TeamLimits> = {}): TeamLimits {
  return {
    team: 'demo',
    active_runs: null,
    queued_tasks: null,
    running_tasks: null,
    weight: null,
    queues: [],
    now: { active_runs: 2, queued_tasks: 7, running_tasks: 1 },
    may_set: false,
    ...change,
  };
}

export function makeQuarantine(task: string, change: Partial<Quarantine> = {}): Quarantine {
  return {
    id: uuid(),
    pipeline: { name: 'digits-training', team: 'demo', title: 'Handwritten digits' },
    version: 3,
    task,
    run: { id: uuid(), number: 11 },
    words: `${task} is in quarantine: in run #11 it was lost with its worker three times.`,
    remedy: 'Publish a version after 3 that is mended, or have an operator lift the quarantine.',
    created_at: '2026-03-01T08:00:00Z',
    lifted_at: null,
    lifted_by: null,
    comment: '',
    may_lift: true,
    ...change,
  };
}

async function setLimits(world: World, _: string[], request: Request): Promise<TeamLimits> {
  const { queues = [], ...wanted } = (await request.json()) as WantedLimits;
  return Object.assign(world.limits, wanted, { queues: queues.map((each) => ({ running_tasks: null, weight: null, ...each })) });
}

async function lift(world: World, [id = '']: string[], request: Request): Promise<Quarantine> {
  const row = found(world.quarantines.find((each) => each.id === id));
  const { comment } = (await request.json()) as { comment: string };
  world.quarantines = world.quarantines.filter((each) => each !== row);
  return { ...row, comment, lifted_at: '2026-03-02T08:00:00Z', may_lift: false };
}

export const ADMISSION_ROUTES: [string, RegExp, Handler][] = [
  ['GET', /^\/api\/v1\/teams\/[^/]+\/limits\/$/, (world) => world.limits],
  ['PUT', /^\/api\/v1\/teams\/[^/]+\/limits\/$/, setLimits],
  ['GET', /^\/api\/v1\/quarantines\/$/, (world, _, __, url) => page(world, world.quarantines, url)],
  ['POST', /^\/api\/v1\/quarantines\/([^/]+)\/lift\/$/, lift],
];
