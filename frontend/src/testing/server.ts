import type { LogSlice, Page, Pipeline, ProblemBody, Run, TaskRun } from '../api/types';
import { ACCOUNT_ROUTES } from './account';
import { ACCESS_ROUTES } from './access';
import { ADMISSION_ROUTES } from './admission';
import { ARTIFACT_ROUTES } from './artifacts';
import { CODE_ROUTES } from './code';
import { EDITOR_ROUTES } from './editor';
import { EXPLAIN_ROUTES } from './explanations';
import { ENVIRONMENT_ROUTES } from './environments';
import { makeRun } from './make';
import { PAUSE_ROUTES } from './pausing';
import { ownedAs, PEOPLE_ROUTES } from './people';
import { RERUN_ROUTES } from './reruns';
import { SECRET_ROUTES } from './secrets';
import { addressOf, found, page, pipelineOf, Refusal, type Handler, type World } from './world';

export { makeWorld, type World } from './world';

function taskOf(world: World, id: string): TaskRun {
  return found(Object.values(world.tasks).flat().find((task) => task.id === id));
}

function runOf(world: World, id: string): Run {
  return found(world.runs.find((run) => run.id === id));
}

function listPipelines(world: World, url: URL): Page<Pipeline> {
  const q = url.searchParams.get('q')?.toLowerCase() ?? '';
  const state = url.searchParams.get('state');
  const fits = (each: Pipeline) =>
    [each.name, each.title, each.description].some((words) => words.toLowerCase().includes(q)) &&
    (!state || each.state === state) &&
    ownedAs(world, each, url.searchParams.get('owner'));
  return page(world, world.pipelines.filter(fits), url);
}

function listRuns(world: World, url: URL): Page<Run> {
  const state = url.searchParams.get('state');
  const pipeline = url.searchParams.get('pipeline');
  const fits = (run: Run) =>
    (!state || state.split(',').includes(run.state)) &&
    (!pipeline || addressOf(run.pipeline) === pipeline || run.pipeline.name === pipeline);
  return page(world, world.runs.filter(fits), url);
}

async function start(world: World, [name = '']: string[], request: Request): Promise<Run> {
  const pipeline = pipelineOf(world, decodeURIComponent(name));
  const { parameters } = (await request.json()) as { parameters: Run['parameters'] };
  const run = makeRun({ pipeline, parameters, number: world.runs.length + 1, created_at: new Date().toISOString() });
  world.runs.unshift(run);
  world.tasks[run.id] = [];
  return run;
}

function logOf(world: World, [id = '']: string[], _: Request, url: URL): LogSlice {
  const log = found(world.logs[id]);
  const offset = Number(url.searchParams.get('offset') ?? 0);
  const limit = Math.min(Number(url.searchParams.get('limit') ?? 1000), 5000);
  const lines = log.lines.slice(offset, offset + limit);
  return {
    offset,
    lines,
    next: offset + lines.length,
    total: log.lines.length,
    complete: log.complete,
    dropped_bytes: log.droppedBytes ?? 0,
  };
}

async function decide(world: World, id: string, request: Request, decision: 'approved' | 'rejected'): Promise<TaskRun> {
  const task = taskOf(world, id);
  const { comment } = (await request.json()) as { comment: string };
  const person = world.me ? { username: world.me.username, name: world.me.name } : null;
  const at = new Date().toISOString();
  if (task.approval) task.approval = { ...task.approval, decision, decided_by: person, comment, decided_at: at };
  task.state = decision === 'approved' ? 'succeeded' : 'failed';
  task.finished_at = at;
  for (const run of world.runs) if (world.tasks[run.id]?.includes(task)) touch(world, run);
  return task;
}

function touch(world: World, run: Run, change: Partial<Run> = {}): Run {
  Object.assign(run, change, { last_seq: run.last_seq + 1 });
  world.onChange(run);
  return run;
}

const ROUTES: [string, RegExp, Handler][] = [
  ...ACCOUNT_ROUTES,
  ['GET', /^\/api\/v1\/me\/$/, (world) => world.me],
  ['GET', /^\/api\/v1\/pipelines\/$/, (world, _, __, url) => listPipelines(world, url)],
  ['GET', /^\/api\/v1\/pipelines\/([^/]+)\/$/, (world, [name = '']) => pipelineOf(world, name)],
  [
    'GET',
    /^\/api\/v1\/pipelines\/([^/]+)\/versions\/$/,
    (world, [name = ''], _, url) => page(world, world.versions[addressOf(pipelineOf(world, name))] ?? [], url),
  ],
  [
    'GET',
    /^\/api\/v1\/pipelines\/([^/]+)\/versions\/(\d+)\/$/,
    (world, [name = '', number]) => found(world.versions[name]?.find((version) => version.number === Number(number))),
  ],
  ['POST', /^\/api\/v1\/pipelines\/([^/]+)\/runs\/$/, start],
  ['GET', /^\/api\/v1\/runs\/$/, (world, _, __, url) => listRuns(world, url)],
  ['GET', /^\/api\/v1\/runs\/([^/]+)\/$/, (world, [id = '']) => ({ ...runOf(world, id) })],
  [
    'GET',
    /^\/api\/v1\/runs\/([^/]+)\/tasks\/$/,
    (world, [id = ''], _, url) => page(world, (world.tasks[id] ?? []).map((task) => ({ ...task })), url),
  ],
  [
    'GET',
    /^\/api\/v1\/runs\/([^/]+)\/resume-plan\/$/,
    (world, [id = '']) => world.plans[id] ?? { allowed: false, why_not: 'An attempt of this run is still running.', tasks: [] },
  ],
  [
    'POST',
    /^\/api\/v1\/runs\/([^/]+)\/cancel\/$/,
    (world, [id = '']) =>
      touch(world, runOf(world, id), { state: 'cancelled', finished_at: new Date().toISOString(), can: { rerun: true, cancel: false, resume: true, pause: false, approve: false } }),
  ],
  [
    'POST',
    /^\/api\/v1\/runs\/([^/]+)\/resume\/$/,
    (world, [id = '']) => touch(world, runOf(world, id), { state: 'running', finished_at: null, cause: null }),
  ],
  [
    'GET',
    /^\/api\/v1\/task-runs\/([^/]+)\/$/,
    (world, [id = '']) => ({ run: '', attempts: [], inputs: [], outputs: [], ...world.details[id], ...taskOf(world, id) }),
  ],
  ['POST', /^\/api\/v1\/task-runs\/([^/]+)\/approve\/$/, (world, [id = ''], request) => decide(world, id, request, 'approved')],
  ['POST', /^\/api\/v1\/task-runs\/([^/]+)\/reject\/$/, (world, [id = ''], request) => decide(world, id, request, 'rejected')],
  ['POST', /^\/api\/v1\/task-runs\/([^/]+)\/retry\/$/, (world, [id = '']) => taskOf(world, id)],
  ['GET', /^\/api\/v1\/attempts\/([^/]+)\/log\/$/, logOf],
  ...EDITOR_ROUTES,
  ...PEOPLE_ROUTES,
  ...ARTIFACT_ROUTES,
  ...SECRET_ROUTES,
  ...RERUN_ROUTES,
  ...EXPLAIN_ROUTES,
  ...CODE_ROUTES,
  ...ACCESS_ROUTES,
  ...ADMISSION_ROUTES,
  ...PAUSE_ROUTES,
  ...ENVIRONMENT_ROUTES,
  ['GET', /^\/api\/v1\/deployments\/$/, (world, _, __, url) => page(world, world.deployments, url)],
  [
    'GET',
    /^\/api\/v1\/deployments\/([^/]+)\/$/,
    (world, [name]) => found(world.deployments.find((each) => addressOf(each.endpoint) === name)),
  ],
  ['GET', /^\/api\/v1\/deployments\/([^/]+)\/trace\/$/, (world, [name = '']) => found(world.traces[name])],
];

function asResponse(body: unknown): Response {
  if (body instanceof Response) return body;
  return new Response(JSON.stringify(body), { headers: { 'Content-Type': 'application/json' } });
}

function problem(body: ProblemBody): Response {
  return new Response(JSON.stringify(body), { status: body.status, headers: { 'Content-Type': 'application/problem+json' } });
}

/** Answers one request as the real server would, out of the world. */
export async function answer(world: World, request: Request): Promise<Response> {
  const url = new URL(request.url);
  const line = `${request.method} ${url.pathname}`;
  world.asked.push(`${line}${url.search}`);
  if (world.hang.some((start) => line.startsWith(start))) return new Promise<Response>(() => undefined);
  const refused = Object.entries(world.refuse).find(([start]) => line.startsWith(start));
  if (refused) return problem(refused[1]);
  if (url.pathname.startsWith('/api/') && world.me === null) return problem({ status: 401, title: 'You are signed out.' });
  for (const [method, pattern, handler] of ROUTES) {
    const match = pattern.exec(url.pathname);
    if (method !== request.method || !match) continue;
    try {
      return asResponse(await handler(world, match.slice(1).map(decodeURIComponent), request, url));
    } catch (error) {
      if (error instanceof Refusal) return problem(error.problem);
      throw error;
    }
  }
  return problem({ status: 404, title: `The fake server knows no ${line}.` });
}
