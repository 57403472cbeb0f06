import type {
  Approval,
  Attempt,
  Deployment,
  Endpoint,
  GraphEdge,
  GraphTask,
  Json,
  Me,
  Move,
  Pipeline,
  PipelineGraph,
  Run,
  TaskOutput,
  TaskRun,
  TaskRunDetail,
  TaskState,
  Trace,
  Version,
} from '../api/types';
import type { components } from '../api/schema';

/* Things as the API would give them, complete and valid; a test says only what matters to it. */

let counter = 0;

export function uuid(): string {
  counter += 1;
  return `00000000-0000-4000-8000-${counter.toString(16).padStart(12, '0')}`;
}

/** A digest that looks like one and depends on the text alone. */
export function digest(text: string): string {
  let hash = 2166136261;
  let out = '';
  for (let round = 0; out.length < 64; round += 1) {
    for (const letter of `${text}${round}`) hash = Math.imul(hash ^ letter.charCodeAt(0), 16777619) >>> 0;
    out += hash.toString(16).padStart(8, '0');
  }
  return out.slice(0, 64);
}

export const ana = { username: 'ana', name: 'Ana Lim' };
export const budi = { username: 'budi', name: 'Budi Santoso' };

/** What a thing says that nobody has paused. */
export const unpaused = { paused_at: null, paused_by: null, paused_until: null, paused_reason: '' };

export function makeMe(change: Partial<Me> = {}): Me {
  return {
    username: 'ana',
    email: 'ana@example.com',
    name: 'Ana Lim',
    is_superuser: true,
    time_zone: 'Asia/Singapore',
    locale: 'en',
    teams: [{ slug: 'demo', name: 'Demo', roles: ['admin', 'approver'] }],
    ...change,
  };
}

export function makePipeline(change: Partial<Pipeline> = {}): Pipeline {
  return {
    id: uuid(),
    name: 'digits-training',
    title: 'Handwritten digits',
    description: 'Trains and deploys the digit reader.',
    team: 'demo',
    owner: { ...ana, active: true },
    deputy: null,
    purpose: '',
    runbook: '',
    tags: [],
    active_version: { number: 3, created_at: '2026-03-01T08:00:00Z', created_by: ana, message: 'Check for empty labels' },
    parameters: {
      learning_rate: { type: 'number', default: 0.1, minimum: 0, description: 'Step size' },
      min_accuracy: { type: 'number', default: 0.9, minimum: 0, maximum: 1 },
    },
    state: 'succeeded',
    last_runs: [],
    ...unpaused,
    can: { run: true, edit: true, pause: true },
    ...change,
  };
}

export function makeRun(change: Partial<Run> = {}): Run {
  return {
    id: uuid(),
    number: 12,
    pipeline: { name: 'digits-training', team: 'demo', title: 'Handwritten digits' },
    version: 3,
    code: null,
    state: 'running',
    priority: 'normal',
    trigger: 'manual',
    requested_by: ana,
    parameters: { learning_rate: 0.1, min_accuracy: 0.9 },
    created_at: '2026-03-02T08:00:00Z',
    started_at: '2026-03-02T08:00:01Z',
    finished_at: null,
    last_seq: 1,
    resume_no: 0,
    counts: {},
    cause: null,
    only: null,
    rerun_of: null,
    ...unpaused,
    queued: null,
    quarantine: null,
    replaced_by: null,
    can: { rerun: true, cancel: true, resume: false, pause: true, approve: true },
    ...change,
  };
}

export function makeTask(key: string, change: Partial<TaskRun> = {}): TaskRun {
  return {
    id: uuid(),
    key,
    name: key.split('/').at(-1) ?? key,
    parent: key.includes('/') ? key.split('/').slice(0, -1).join('/') : null,
    kind: 'python',
    title: '',
    state: 'pending',
    reason: '',
    message: '',
    queue: 'cpu',
    priority: 'normal',
    waiting_on: 0,
    retries_used: 0,
    retries_limit: 0,
    lost: 0,
    next_attempt_at: null,
    ready_at: null,
    started_at: null,
    finished_at: null,
    attempt: null,
    approval: null,
    reused_from: null,
    ...change,
  };
}

export function makeAttempt(no: number, change: Partial<Attempt> = {}): Attempt {
  return {
    id: uuid(),
    no,
    state: 'succeeded',
    reason: '',
    cause: '',
    detail: '',
    started_at: '2026-03-02T08:00:01Z',
    finished_at: '2026-03-02T08:00:05Z',
    resume_no: 0,
    worker: 'cpu-1',
    host: 'ml-box-1',
    exit_code: 0,
    pid: 4711,
    isolation: 'own user',
    slots: [],
    log_lines: 0,
    ...change,
  };
}

export function makeQueue(slug: string, change: Partial<components['schemas']['QueueShape']> = {}): components['schemas']['QueueShape'] {
  return {
    slug,
    title: '',
    labels: {},
    isolation: 'own user',
    image: '',
    network: false,
    isolation_problem: '',
    ...unpaused,
    ready: 0,
    running: 0,
    workers: 1,
    troubles: [],
    ...change,
  };
}

export function makeDetail(task: TaskRun, change: Partial<TaskRunDetail> = {}): TaskRunDetail {
  return { ...task, run: uuid(), attempts: [], inputs: [], outputs: [], ...change };
}

/** "a", "a>b" and "a>b:failure" lines as a graph; names with a slash are inside of a group. */
export function makeGraph(lines: string[], kinds: Record<string, string> = {}): PipelineGraph {
  const tasks = new Map<string, GraphTask>();
  const edges: GraphEdge[] = [];
  for (const line of lines) {
    const [path = '', rule = 'success'] = line.split(':');
    const keys = path.split('>');
    for (const key of keys) tasks.set(key, makeGraphTask(key, kinds[key]));
    const [up, down] = keys;
    if (up && down) edges.push({ up, down, rule: rule, data: true });
  }
  return { tasks: [...tasks.values()], edges };
}

export function makeGraphTask(key: string, kind = 'python'): GraphTask {
  return {
    key,
    name: key.split('/').at(-1) ?? key,
    parent: key.includes('/') ? key.split('/').slice(0, -1).join('/') : null,
    kind,
    title: '',
    queue: kind === 'group' || kind === 'approval' ? null : 'cpu',
    config: {},
    inputs: [],
    outputs: [],
  };
}

export function makeVersion(graph: PipelineGraph, change: Partial<Version> = {}): Version {
  return {
    number: 3,
    message: 'Check for empty labels',
    created_at: '2026-03-01T08:00:00Z',
    created_by: ana,
    active: true,
    text: 'schema: orchestrator/v1\nname: digits-training\n',
    text_sha256: digest('text'),
    spec_sha256: digest('spec'),
    parameters: {},
    layout: {},
    code: { location: 'demo', follow: 'published', snapshot: digest('code'), lock: digest('lock') },
    graph,
    ...change,
  };
}

export function makeSnapshot(change: Partial<components['schemas']['Snapshot']> = {}): components['schemas']['Snapshot'] {
  return {
    id: uuid(),
    tree_sha256: digest('code'),
    lock_sha256: digest('lock'),
    python: '',
    file_count: 5,
    size: 12_345,
    created_at: '2026-03-01T07:00:00Z',
    commit: null,
    ...change,
  };
}

export function makeCommit(change: Partial<components['schemas']['Commit']> = {}): components['schemas']['Commit'] {
  return {
    sha: '4f2a9c81d07be35566778899aabbccddeeff0011',
    at: '2026-03-01T06:00:00Z',
    subject: 'Read rows twice as fast',
    branch: 'refs/heads/main',
    dirty: false,
    ...change,
  };
}

export function makeLocation(change: Partial<components['schemas']['Location']> = {}): components['schemas']['Location'] {
  return {
    id: uuid(),
    name: 'demo',
    team: 'demo',
    kind: 'folder',
    address: '/srv/demo-code',
    ref: '',
    folder: '',
    secret: '',
    known_hosts: '',
    host_keys: [],
    auto_sync: false,
    lock_file: 'requirements.lock',
    preload: [],
    state: 'plain',
    commit: null,
    remote_commit: '',
    checked_at: null,
    check_error: '',
    syncing: null,
    synced_at: '2026-03-01T07:00:00Z',
    sync_error: '',
    notes: [],
    created_at: '2026-03-01T07:00:00Z',
    can: { sync: true, manage: true },
    snapshot: makeSnapshot(),
    environment: null,
    ...change,
  };
}

export function makeApproval(change: Partial<Approval> = {}): Approval {
  return {
    by: ['approver'],
    deadline_at: null,
    requester_may_approve: true,
    decision: null,
    decided_by: null,
    comment: '',
    decided_at: null,
    may_decide: true,
    why_not: null,
    ...change,
  };
}

export function makeOutput(name: string, change: Partial<TaskOutput> = {}): TaskOutput {
  return { name, type: 'json', value: null, sha256: '', size: 0, media_type: '', meta: {}, artifact: uuid(), ...change };
}

/** An output that is bytes. */
export function makeBytes(name: string, type: string, change: Partial<TaskOutput> = {}): TaskOutput {
  return makeOutput(name, { type, sha256: digest(name), size: 234_567, ...change });
}

export function makeMove(change: Partial<Move> = {}): Move {
  return {
    id: uuid(),
    model: 'digits',
    version: 3,
    sha256: digest('model'),
    since: '2026-03-02T08:03:00Z',
    until: null,
    moved_by: ana,
    run: uuid(),
    run_number: 12,
    reason: '',
    approval: null,
    ...change,
  };
}

export function makeDeployment(name: string, change: Partial<Endpoint> = {}, history: Move[] = []): Deployment {
  const endpoint = {
    id: uuid(),
    name,
    team: 'demo',
    stage: 'demo' as const,
    address: `file:///srv/models/${name}`,
    description: '',
    created_at: '2026-01-01T00:00:00Z',
    ...change,
  };
  return { endpoint, current: history[0] ?? null, history };
}

export function countsOf(tasks: readonly TaskRun[]): Partial<Record<TaskState, number>> {
  const counts: Partial<Record<TaskState, number>> = {};
  for (const task of tasks) counts[task.state] = (counts[task.state] ?? 0) + 1;
  return counts;
}

export function makeTrace(change: Partial<Trace> = {}): Trace {
  const detail = (facts: Record<string, Json>) => facts;
  return {
    complete: true,
    missing: [],
    deployment: { endpoint: 'digits-prod', stage: 'demo' },
    model: {
      id: uuid(),
      artifact: uuid(),
      name: 'digits',
      version: 3,
      sha256: digest('model'),
      registered_at: '2026-03-02T08:02:30Z',
      metrics: { accuracy: 0.9722, f1: 0.9719 },
    },
    approval: {
      decision: 'approved',
      task: 'approve',
      role: 'approver',
      by: ana,
      comment: 'Good enough for the demo.',
      at: '2026-03-02T08:02:00Z',
      digest: digest('approved'),
      was_requester: true,
    },
    nodes: [
      { id: 'd', type: 'deployment', label: 'digits-prod', detail: detail({ stage: 'demo', since: '2026-03-02T08:03:00Z' }) },
      { id: 'm', type: 'model_version', label: 'digits version 3', detail: detail({ sha256: digest('model') }) },
      { id: 'r1', type: 'record', label: 'ingest', detail: detail({ state: 'succeeded', sealed_at: '2026-03-02T08:00:09Z' }) },
      { id: 'r2', type: 'record', label: 'train', detail: detail({ state: 'succeeded', sealed_at: '2026-03-02T08:01:09Z' }) },
      { id: 'a1', type: 'artifact', label: 'ingest.table', detail: detail({ sha256: digest('table'), size: 234_567, rows: 1797 }) },
      { id: 'a2', type: 'artifact', label: 'train.model', detail: detail({ sha256: digest('model'), size: 1_204_567 }) },
    ],
    edges: [
      { from: 'r1', to: 'a1', slot: 'table' },
      { from: 'a1', to: 'r2', slot: 'table' },
      { from: 'r2', to: 'a2', slot: 'model' },
      { from: 'a2', to: 'm', slot: 'model' },
      { from: 'm', to: 'd', slot: 'model' },
    ],
    code: [{ kind: 'snapshot', location: 'demo', snapshot: digest('code'), commit: null, entry: 'digits:train' }],
    environment: [
      {
        fingerprint: digest('env'),
        python: '3.11.9',
        platform: 'Linux-6.1-x86_64',
        lock: digest('lock'),
        packages: [
          { name: 'numpy', version: '2.2.1' },
          { name: 'scikit-learn', version: '1.6.1' },
        ],
      },
    ],
    parameters: { learning_rate: 0.1, min_accuracy: 0.9 },
    data: [{ artifact: uuid(), name: 'ingest.table', sha256: digest('table'), size: 234_567, rows: 1797 }],
    gaps: [],
    ...change,
  };
}
