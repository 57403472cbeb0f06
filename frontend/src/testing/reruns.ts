import type { RerunPlan, ReuseAnswer, Run } from '../api/types';
import { countsOf, makeRun } from './make';
import { found, type Handler, type World } from './world';

/* What the fake server answers about reruns: a changed parameter runs everything, `from` a task runs it and what follows. */

interface Wish {
  parameters?: Run['parameters'];
  version?: number;
  from?: string;
  only?: string[];
  reuse: boolean;
}

export function makeReuse(change: Partial<ReuseAnswer> = {}): ReuseAnswer {
  return {
    considered: false,
    reused: false,
    sentence: 'It does not ask for earlier results. With `cache: true` an equal one is reused.',
    key: '',
    taken_from: null,
    nearest: null,
    differences: [],
    ...change,
  };
}

const runOf = (world: World, id: string): Run => found(world.runs.find((run) => run.id === id));

function planOf(run: Run, world: World, wish: Wish): RerunPlan {
  const keys = (world.tasks[run.id] ?? []).map((task) => task.key);
  const place = wish.from === undefined ? Infinity : keys.indexOf(wish.from);
  const changed = JSON.stringify({ ...run.parameters, ...wish.parameters }) !== JSON.stringify(run.parameters);
  const tasks = keys
    .filter((key) => wish.only === undefined || wish.only.includes(key))
    .map((key, at): RerunPlan['tasks'][number] => {
      const about = { key, kind: 'python', details: changed && at === 0 ? ['Parameter learning_rate: 0.1 → 0.2'] : [] };
      if (!wish.reuse) return { ...about, action: 'run', code: 'no_reuse', reason: 'Nothing is reused.' };
      if (wish.only || at === place) return { ...about, action: 'run', code: 'afresh', reason: 'You chose to run it.' };
      if (at > place) return { ...about, action: 'run', code: 'after', reason: 'It stands after the task from which you run.' };
      if (changed && at === 0) return { ...about, action: 'run', code: 'differs', reason: 'It is not given the same as then.' };
      if (changed) return { ...about, action: 'decide', code: 'inputs', reason: 'Decided when its inputs are known: a task before it runs.' };
      return { ...about, action: 'reuse', code: 'equal', reason: 'It is given the same as then; its result is reused.' };
    });
  const counts: Record<string, number> = {};
  for (const task of tasks) counts[task.action] = (counts[task.action] ?? 0) + 1;
  return { version: wish.version ?? run.version, parameters: { ...run.parameters, ...wish.parameters }, counts, tasks };
}

async function plan(world: World, [id = '']: string[], request: Request): Promise<RerunPlan> {
  return planOf(runOf(world, id), world, (await request.json()) as Wish);
}

async function start(world: World, [id = '']: string[], request: Request): Promise<Run> {
  const old = runOf(world, id);
  const wish = (await request.json()) as Wish;
  const made = makeRun({
    pipeline: old.pipeline,
    version: wish.version ?? old.version,
    number: old.number + 1,
    parameters: { ...old.parameters, ...wish.parameters },
    rerun_of: { id: old.id, number: old.number, from: wish.from ?? '', reuse: wish.reuse },
  });
  world.tasks[made.id] = (world.tasks[old.id] ?? []).map((task) => ({ ...task }));
  made.counts = countsOf(world.tasks[made.id] ?? []);
  world.runs.unshift(made);
  return made;
}

export const RERUN_ROUTES: [string, RegExp, Handler][] = [
  ['POST', /^\/api\/v1\/runs\/([^/]+)\/rerun-plan\/$/, plan],
  ['POST', /^\/api\/v1\/runs\/([^/]+)\/rerun\/$/, start],
  ['GET', /^\/api\/v1\/task-runs\/([^/]+)\/reuse\/$/, (world, [id = '']) => world.reuse[id] ?? makeReuse()],
];
