import type { GraphTask, Pipeline, PipelineGraph, Run, RunGlyph, RunState, TaskRun, TaskRunDetail, TaskState } from '../api/types';
import { makeEnvironment } from './environments';
import { makeBlocker, makeExplanation } from './explanations';
import {
  ana,
  budi,
  countsOf,
  digest,
  makeApproval,
  makeAttempt,
  makeBytes,
  makeDeployment,
  makeDetail,
  makeGraph,
  makeGraphTask,
  makeLocation,
  makeMove,
  makeOutput,
  makePipeline,
  makeRun,
  makeTask,
  makeTrace,
  makeVersion,
  uuid,
} from './make';
import { DIGITS, DIGITS_1, DIGITS_2, NESTED as NESTED_TEXT, wideDocument } from './documents';
import { DEMO_ARTIFACTS } from './demoArtifacts';
import { makeGrant, makeServiceAccount, makeToken } from './access';
import { makeLimits } from './admission';
import { MEMBERS } from './people';
import { makeSecret } from './secrets';
import { makeWorld, type World } from './server';

/* A world to look at: every state, long names, a run that moves, a run of a thousand tasks. */

const KINDS: Record<string, string> = { check: 'check', approve: 'approval', register: 'register', deploy: 'deploy' };
const TITLES: Record<string, string> = {
  ingest: 'Read the digits',
  check: 'Labels and rows',
  features: 'Scale the pixels',
  train: 'Train the classifier',
  evaluate: 'Measure on held-out digits',
  approve: 'A person decides',
  register: 'Register the model',
  deploy: 'Copy to digits-prod',
};

const CHAIN = ['ingest', 'ingest>check', 'check>features', 'features>train', 'train>evaluate', 'ingest>evaluate', 'evaluate>approve', 'approve>register', 'train>register', 'register>deploy'];

function titled(graph: PipelineGraph): PipelineGraph {
  return {
    ...graph,
    tasks: graph.tasks.map((task) => ({ ...task, title: TITLES[task.name] ?? '', queue: task.name === 'train' ? 'gpu' : task.queue })),
  };
}

const ago = (seconds: number) => new Date(Date.now() - seconds * 1000).toISOString();

function runTasks(graph: PipelineGraph, states: Partial<Record<string, TaskState>>): TaskRun[] {
  let at = 400;
  return graph.tasks.map((task: GraphTask) => {
    const state = states[task.key] ?? 'pending';
    const began = !['pending', 'ready', 'upstream_failed', 'skipped'].includes(state);
    const ended = ['succeeded', 'failed', 'cancelled'].includes(state);
    const started = began ? ago(at) : null;
    at -= 34;
    const finished = ended ? ago(at + 2) : null;
    const attempt =
      began && task.kind !== 'approval' && task.kind !== 'group'
        ? makeAttempt(1, {
            state: state === 'running' ? 'running' : state === 'succeeded' ? 'succeeded' : state === 'cancelled' ? 'cancelled' : 'failed',
            started_at: started ?? ago(0),
            finished_at: finished,
            log_lines: 40,
            exit_code: state === 'running' ? null : state === 'succeeded' ? 0 : 1,
          })
        : null;
    return makeTask(task.key, {
      kind: task.kind,
      title: task.title,
      queue: task.queue ?? '',
      state,
      started_at: started,
      finished_at: finished,
      ready_at: started === null ? null : new Date(Date.parse(started) - 900).toISOString(),
      attempt,
      approval: task.kind === 'approval' ? makeApproval({ deadline_at: ago(-86_000) }) : null,
    });
  });
}

const COLOURS = ['\u001b[32mINFO\u001b[0m', '\u001b[33mWARNING\u001b[0m', '\u001b[31mERROR\u001b[0m', '\u001b[36mDEBUG\u001b[0m', '\u001b[1mepoch\u001b[0m'];

export function logLines(count: number): string[] {
  return Array.from(
    { length: count },
    (_, at) =>
      `2026-03-02 08:${String(Math.floor(at / 60) % 60).padStart(2, '0')}:${String(at % 60).padStart(2, '0')} ${COLOURS[at % COLOURS.length] ?? ''} step ${at + 1}: loss=${(2.3 / (1 + at * 0.02)).toFixed(4)} \u001b[2mbatch of 64, one thread, seed 7\u001b[0m`,
  );
}

function addRun(world: World, pipeline: Pipeline, graph: PipelineGraph, run: Partial<Run>, states: Partial<Record<string, TaskState>>): Run {
  const tasks = runTasks(graph, states);
  const made = makeRun({
    pipeline: { name: pipeline.name, team: pipeline.team, title: pipeline.title },
    version: pipeline.active_version?.number ?? 1,
    counts: countsOf(tasks),
    created_at: ago(410),
    started_at: ago(408),
    ...run,
  });
  world.runs.push(made);
  world.tasks[made.id] = tasks;
  for (const task of tasks) addDetail(world, task);
  return made;
}

function addDetail(world: World, task: TaskRun): void {
  if (!task.attempt) return;
  const attempt = makeAttempt(task.attempt.no, { ...task.attempt });
  world.logs[attempt.id] = { lines: logLines(attempt.log_lines), complete: attempt.state !== 'running' };
  world.details[task.id] = makeDetail(task, {
    attempts: [attempt],
    inputs: [
      { name: 'learning_rate', type: 'number', value: 0.1, artifact: null },
      {
        name: 'table',
        type: 'table',
        value: null,
        artifact: { artifact: uuid(), task: 'ingest', output: 'table', sha256: digest('table'), size: 234_567, media_type: 'application/vnd.apache.parquet', meta: { rows: 1797, columns: ['label', 'p0'] } },
      },
    ],
    outputs:
      task.state === 'succeeded'
        ? [
            makeBytes('model', 'model', { size: 1_204_567, media_type: 'application/x-joblib' }),
            makeOutput('metrics', { value: { accuracy: 0.9722, confusion: [[35, 0], [1, 36]] } }),
            makeBytes('table', 'table', { media_type: 'application/vnd.apache.parquet', meta: { rows: 1797, columns: ['label', 'p0', 'p1', 'p2', 'p3', 'p4', 'p5', 'p6'] } }),
          ]
        : [],
  });
}

function history(states: RunState[]): RunGlyph[] {
  return states.map((state, at) => ({
    id: uuid(),
    number: states.length - at,
    state,
    created_at: ago(at * 90_000 + 300),
    started_at: ago(at * 90_000 + 299),
    finished_at: state === 'running' || state === 'queued' ? null : ago(at * 90_000 + 120),
  }));
}

const S: RunState = 'succeeded';
const F: RunState = 'failed';

function pipelinesOf(): Pipeline[] {
  return [
    makePipeline({ state: 'running', last_runs: history(['running', S, S, F, S, S, 'cancelled', S, S, S, S, F, F, S, S, S, S, S, S, S]) }),
    makePipeline({
      name: 'cancer-nightly',
      title: 'Breast cancer, nightly',
      description: 'Trains again every night; the check can be made to fail.',
      owner: { ...budi, active: true },
      state: 'failed',
      last_runs: history([F, S, S, S]),
      parameters: {
        rows: { type: 'integer', default: 500, minimum: 100, maximum: 569, description: 'How many rows to read' },
        kernel: { type: 'string', enum: ['linear', 'rbf', 'poly'], default: 'rbf', description: 'Kernel of the support vector machine' },
        break_check: { type: 'boolean', default: false, description: 'Spoils a column, so that the check fails' },
        note: { type: 'string', description: 'Why you start it', max_length: 80 },
        grid: { type: 'json', default: { C: [0.1, 1, 10] }, description: 'Values to try' },
      },
    }),
    makePipeline({
      name: 'a-very-long-name-that-somebody-gave-to-a-pipeline-because-names-are-cheap-2026',
      title: 'Customer lifetime value for the south-east Asian markets, weekly retraining with the extended feature set',
      owner: null,
      active_version: { number: 148, created_at: ago(86_400 * 9), created_by: null, message: 'x' },
      state: 'cancelled',
      last_runs: history(['cancelled', S]),
      team: 'growth-analytics',
      can: { run: false, edit: false, pause: false },
    }),
    makePipeline({ name: 'wide', title: 'A thousand tasks', state: 'running', last_runs: history(['running', 'queued']), parameters: {} }),
    makePipeline({ name: 'nested-groups', title: '', state: S, last_runs: history([S]), parameters: {} }),
    makePipeline({ name: 'fresh', title: 'Not published yet', active_version: null, state: null, last_runs: [], parameters: {} }),
  ];
}

const NESTED = ['load', 'load>train-all', 'train-all/prepare', 'train-all/prepare>train-all/small', 'train-all/prepare>train-all/large', 'train-all/large>train-all/tune', 'train-all/tune/grid', 'train-all/tune/grid>train-all/tune/pick', 'train-all>report', 'train-all>alarm:failure', 'load>tidy:always'];

export function wideGraph(): PipelineGraph {
  const tasks: GraphTask[] = [];
  const edges: PipelineGraph['edges'] = [];
  for (let at = 0; at < 1000; at += 1) {
    tasks.push(makeGraphTask(`step-${at}`));
    if (at >= 50) edges.push({ up: `step-${at - 50}`, down: `step-${at}`, rule: 'success', data: true });
    if (at >= 50 && at % 7 === 0) edges.push({ up: `step-${50 * Math.floor(at / 50 - 1) + ((at * 3) % 50)}`, down: `step-${at}`, rule: 'success', data: true });
  }
  return { tasks, edges: edges.filter((edge, at) => edges.findIndex((each) => each.up === edge.up && each.down === edge.down) === at) };
}

export function demoWorld(): World {
  const world = makeWorld({ pipelines: pipelinesOf(), locations: [makeLocation()] });
  world.environments = [
    makeEnvironment({ state: 'building', progress: 'Installing 12 packages', size: 0, used_at: null, used_by: [{ id: 'code', name: 'features-of-the-shop', team: 'demo' }] }),
    makeEnvironment(),
    makeEnvironment({ state: 'failed', python: '', wanted: '>=3.14', size: 0, problem_code: 'python-missing', problem: 'it wants Python >=3.14, and there is only 3.11.7' }),
  ];
  const [digits, cancer, , wide, nested] = world.pipelines as [Pipeline, Pipeline, Pipeline, Pipeline, Pipeline];
  const chain = titled(makeGraph(CHAIN, KINDS));
  const wideOne = wideGraph();
  const nestedOne = makeGraph(NESTED, { 'train-all': 'group', 'train-all/tune': 'group' });
  const version = makeVersion(chain, { text: DIGITS });
  world.versions['demo:digits-training'] = [
    version,
    { ...version, number: 2, active: false, created_by: budi, message: 'Train on the gpu queue', text: DIGITS_2 },
    { ...version, number: 1, active: false, message: '', text: DIGITS_1 },
  ];
  world.versions['demo:cancer-nightly'] = [makeVersion(chain, { text: DIGITS.replace('digits-training', 'cancer-nightly') })];
  world.versions['demo:wide'] = [makeVersion(wideOne, { text: wideDocument(1000) })];
  world.versions['demo:nested-groups'] = [makeVersion(nestedOne, { text: NESTED_TEXT })];

  const live = addRun(world, digits, chain, { number: 21 }, { ingest: 'succeeded', check: 'succeeded', features: 'succeeded', train: 'running' });
  const failed = addRun(world, digits, chain, { number: 20, state: 'failed', finished_at: ago(60), resume_no: 1, can: { rerun: true, cancel: false, resume: true, pause: false, approve: true } }, { ingest: 'succeeded', check: 'succeeded', features: 'succeeded', train: 'failed', evaluate: 'upstream_failed', approve: 'upstream_failed', register: 'upstream_failed', deploy: 'upstream_failed' });
  addRun(world, digits, chain, { number: 19, requested_by: ana }, { ingest: 'succeeded', check: 'succeeded', features: 'succeeded', train: 'succeeded', evaluate: 'succeeded', approve: 'awaiting_approval' });
  addRun(world, nested, nestedOne, { number: 7 }, { load: 'succeeded', 'train-all': 'waiting', 'train-all/prepare': 'succeeded', 'train-all/small': 'retry_wait', 'train-all/large': 'succeeded', 'train-all/tune': 'waiting', 'train-all/tune/grid': 'running', alarm: 'skipped', tidy: 'cancelled' });
  const states = Object.fromEntries(wideOne.tasks.map((task, at) => [task.key, at < 420 ? 'succeeded' : at < 424 ? 'failed' : at < 470 ? 'running' : 'pending'] as const));
  addRun(world, wide, wideOne, { number: 2 }, states);
  addRun(world, cancer, chain, { number: 4, state: 'succeeded', finished_at: ago(70), trigger: 'api', can: { rerun: true, cancel: false, resume: false, pause: false, approve: true } }, Object.fromEntries(chain.tasks.map((task) => [task.key, 'succeeded'])));
  for (const state of ['queued', 'cancelling', 'cancelled'] as const) {
    addRun(world, cancer, chain, { number: 5, state, started_at: state === 'queued' ? null : ago(400), finished_at: state === 'cancelled' ? ago(10) : null }, {});
  }
  addWaiting(world, digits, chain, live);
  failAfterThree(world, failed);
  addDeployments(world, live);
  world.artifacts = DEMO_ARTIFACTS;
  world.members = MEMBERS;
  world.limits = makeLimits({ active_runs: 20, may_set: true, queues: [{ queue: 'gpu', running_tasks: 4, weight: 2 }] });
  world.serviceAccounts = [makeServiceAccount('nightly-upload', { roles: ['operator', 'viewer'], tokens: 1, last_used_at: ago(300) }), makeServiceAccount('old', { active: false })];
  world.grants = [makeGrant('demo:shop-token'), makeGrant('risk:scores', { team: 'demo', kind: 'codelocation', can_end: false })];
  world.tokens = {
    '': [makeToken('nightly upload from the warehouse', { state: 'ending', expires_at: new Date(Date.now() + 5 * 86_400_000).toISOString() }), makeToken('old', { state: 'revoked' })],
    'nightly-upload': [makeToken('cron', { scopes: ['read', 'run'], last_used_at: ago(300) })],
  };
  world.secrets = [
    makeSecret('shop-token', { version: 3, used_by: [{ name: 'digits-training', title: 'Handwritten digits', draft: true, active: true }] }),
    makeSecret('a-very-long-name-of-a-secret-that-somebody-thought-was-clear-enough', { description: '', team: 'growth-analytics', changed_by: null }),
    makeSecret('warehouse', { source: 'environment', address: 'TASK_SECRET_WAREHOUSE' }),
  ];
  for (const pipeline of world.pipelines) {
    pipeline.last_runs.forEach((glyph, at) => {
      const known = world.runs.filter((run) => run.pipeline.name === pipeline.name)[at];
      if (known) glyph.id = known.id;
    });
  }
  return world;
}

/** Runs that do not go on: replaced by a newer one, held by a quarantine, without a worker. */
function addWaiting(world: World, digits: Pipeline, chain: PipelineGraph, newer: Run): void {
  const can = { rerun: true, cancel: false, resume: false, pause: false, approve: true };
  const replaced_by = { id: newer.id, number: newer.number };
  addRun(world, digits, chain, { number: 18, state: 'cancelled', finished_at: ago(90), replaced_by, can }, { ingest: 'cancelled' });
  const quarantine = {
    task: 'train',
    words: 'train is in quarantine: in run #17 it was lost with its worker three times.',
    remedy: 'Publish a version after 3 that is mended, or have an operator lift the quarantine.',
  };
  addRun(world, digits, chain, { number: 17, state: 'failed', finished_at: ago(95), quarantine, can }, { ingest: 'succeeded', train: 'failed' });
  const still = addRun(world, digits, chain, { number: 16, started_at: null, priority: 'critical', trigger: 'api' }, { ingest: 'ready' });
  const waits = world.tasks[still.id]?.find((task) => task.state === 'ready');
  const busy = 'Both workers of the queue cpu that could take it are busy. Its priority is critical: none of the 4 other tasks that can begin go before it.';
  if (waits) world.explanations[waits.id] = makeExplanation(waits, makeBlocker({ code: 'workers-busy', words: busy }));
}

/** The train task of this run failed 3 of 3, the second attempt lost its worker. */
function failAfterThree(world: World, run: Run): void {
  const train = world.tasks[run.id]?.find((task) => task.key === 'train');
  if (!train) return;
  const attempts = [
    makeAttempt(1, { state: 'failed', reason: 'error', cause: 'ValueError: labels contain NaN', detail: 'Traceback (most recent call last):\n  File "digits.py", line 41, in train\n    model.fit(x, y)\nValueError: labels contain NaN', exit_code: 1, log_lines: 30 }),
    makeAttempt(2, { state: 'lost', reason: 'lease', exit_code: null, log_lines: 12 }),
    makeAttempt(3, { state: 'failed', reason: 'oom', cause: 'out of memory: it held 2.1 GiB of 2 GiB', exit_code: 137, log_lines: 20_000 }),
  ];
  for (const attempt of attempts) world.logs[attempt.id] = { lines: logLines(attempt.log_lines), complete: true };
  const last = attempts[2];
  Object.assign(train, { reason: 'oom', message: 'out of memory: it held 2.1 GiB of 2 GiB', retries_limit: 2, retries_used: 2, lost: 1, attempt: last });
  const detail: TaskRunDetail | undefined = world.details[train.id];
  if (detail) detail.attempts = attempts;
  run.cause = { task: 'train', task_run: train.id, attempt: last?.id ?? null, attempt_no: 3, reason: 'oom', message: last?.cause ?? '' };
  world.plans[run.id] = {
    allowed: true,
    why_not: null,
    tasks: ['ingest', 'check', 'features', 'train', 'evaluate', 'approve', 'register', 'deploy'].map((key, at) => ({
      key,
      action: at < 3 ? ('keep' as const) : ('run' as const),
      code: at < 3 ? 'succeeded' : 'failed',
      reason: at < 3 ? 'It succeeded.' : at === 3 ? 'It failed.' : 'It did not run, as a task before it failed.',
    })),
  };
}

const CHAIN_TRACE = ['ingest', 'check', 'features', 'train', 'evaluate', 'approve', 'register'];

function addDeployments(world: World, run: Run): void {
  const move = makeMove({ since: ago(3600), run: run.id, run_number: run.number });
  world.deployments = [
    makeDeployment('digits-prod', {}, [move, makeMove({ version: 2, since: ago(86_400), moved_by: budi }), makeMove({ version: 1, since: ago(400_000), moved_by: null })]),
    makeDeployment('cancer-canary', { stage: 'staging', address: 'file:///srv/models/a/very/long/path/that/goes/on/and/on/cancer-canary' }),
    makeDeployment('cancer-old', { stage: 'production' }, [makeMove({ model: 'cancer', version: 12 })]),
  ];
  const base = makeTrace();
  const records = CHAIN_TRACE.map((name) => ({ id: `r-${name}`, type: 'record' as const, label: name, detail: { state: 'succeeded', sealed_at: ago(3700), run: run.id, digest: digest(name) } }));
  const artifacts = ['ingest.table', 'features.table', 'train.model', 'evaluate.metrics'].map((name) => ({ id: `a-${name}`, type: 'artifact' as const, label: name, detail: { sha256: digest(name), size: 234_567, rows: 1797 } }));
  world.traces['demo:digits-prod'] = {
    ...base,
    nodes: [...base.nodes.filter((node) => node.type === 'deployment' || node.type === 'model_version'), ...records, ...artifacts],
    edges: [
      ['r-ingest', 'a-ingest.table'],
      ['a-ingest.table', 'r-check'],
      ['a-ingest.table', 'r-features'],
      ['r-features', 'a-features.table'],
      ['a-features.table', 'r-train'],
      ['r-train', 'a-train.model'],
      ['a-train.model', 'r-evaluate'],
      ['a-ingest.table', 'r-evaluate'],
      ['r-evaluate', 'a-evaluate.metrics'],
      ['a-evaluate.metrics', 'r-register'],
      ['r-approve', 'r-register'],
      ['a-train.model', 'r-register'],
      ['r-register', 'm'],
      ['m', 'd'],
    ].map(([from = '', to = '']) => ({ from, to, slot: 'table' })),
    environment: [{ fingerprint: digest('env'), lock: digest('lock'), platform: 'Linux', python: '3.11.9', packages: ['numpy', 'scipy', 'scikit-learn', 'pandas', 'pyarrow', 'joblib', 'threadpoolctl', 'python-dateutil', 'pytz', 'six', 'tzdata'].map((name, at) => ({ name, version: `1.${at}.2` })) }],
    data: ['ingest.table', 'features.table'].map((name) => ({ artifact: uuid(), name, sha256: digest(name), size: 234_567, rows: 1797 })),
    gaps: [{ record: 'r-train', job: 'train', about: '', code: 'hardware-unknown', message: 'train: the model of the processor could not be read.' }],
  };
  world.traces['demo:cancer-old'] = makeTrace({ complete: false, missing: ['The record of deploy is not sealed yet.'], approval: null, gaps: [], environment: [], data: [], parameters: {}, code: [] });
}
