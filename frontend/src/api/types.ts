/** The nouns of API v1 as the pages use them. Ids are uuids, times ISO 8601 in UTC, durations seconds, sizes bytes. */

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

export interface Person {
  username: string;
  name: string;
}

export interface Page<T> {
  next: string | null;
  previous: string | null;
  results: T[];
}

export interface Me {
  username: string;
  email: string | null;
  name: string;
  is_superuser: boolean;
  time_zone: string;
  locale: string;
  teams: { slug: string; name: string; roles: string[] }[];
}

export type TaskState =
  | 'pending'
  | 'ready'
  | 'running'
  | 'succeeded'
  | 'failed'
  | 'upstream_failed'
  | 'skipped'
  | 'cancelled'
  | 'retry_wait'
  | 'waiting'
  | 'awaiting_approval';
export type RunState = 'queued' | 'running' | 'succeeded' | 'failed' | 'cancelling' | 'cancelled';
export type AttemptState = 'running' | 'succeeded' | 'failed' | 'cancelled' | 'lost';

export type ParameterType = 'string' | 'number' | 'integer' | 'boolean' | 'json';

export interface Parameter {
  type: ParameterType;
  default?: Json;
  description?: string;
  enum?: Json[];
  minimum?: number;
  maximum?: number;
  min_length?: number;
  max_length?: number;
  pattern?: string;
}

export type Parameters = Record<string, Parameter>;

export interface VersionSummary {
  number: number;
  created_at: string;
  created_by: Person | null;
  message: string;
}

export interface RunGlyph {
  id: string;
  number: number;
  state: RunState;
  created_at: string;
  started_at: string | null;
  finished_at: string | null;
}

export interface Pipeline {
  id: string;
  name: string;
  title: string;
  description: string;
  team: string;
  owner: Person | null;
  deputy: Person | null;
  purpose: string;
  runbook: string;
  tags: string[];
  active_version: VersionSummary | null;
  parameters: Parameters;
  state: RunState | null;
  last_runs: RunGlyph[];
  paused_at: string | null;
  can: { run: boolean; edit: boolean };
}

export interface Port {
  name: string;
  type: string;
  required?: boolean;
}

export interface GraphTask {
  key: string;
  name: string;
  parent: string | null;
  kind: string;
  title: string;
  queue: string | null;
  config: Record<string, Json>;
  inputs: Port[];
  outputs: Port[];
}

export type EdgeRule = 'success' | 'failure' | 'always';

export interface GraphEdge {
  up: string;
  down: string;
  rule: EdgeRule;
  data: boolean;
}

export interface PipelineGraph {
  tasks: GraphTask[];
  edges: GraphEdge[];
}

export interface Version extends VersionSummary {
  active: boolean;
  text: string;
  text_sha256: string;
  spec_sha256: string;
  graph: PipelineGraph;
}

export type VersionItem = VersionSummary & { active: boolean };

export interface Cause {
  task: string;
  task_run: string;
  attempt: string | null;
  attempt_no: number | null;
  reason: string;
  message: string;
}

export interface Run {
  id: string;
  number: number;
  pipeline: { name: string; team: string; title: string };
  version: number;
  state: RunState;
  trigger: string;
  requested_by: Person | null;
  parameters: Record<string, Json>;
  created_at: string;
  started_at: string | null;
  finished_at: string | null;
  last_seq: number;
  resume_no: number;
  counts: Partial<Record<TaskState, number>>;
  cause: Cause | null;
  paused_at: string | null;
  can: { cancel: boolean; resume: boolean; approve: boolean };
}

export interface AttemptSummary {
  id: string;
  no: number;
  state: AttemptState;
  reason: string;
  cause: string | null;
  started_at: string | null;
  finished_at: string | null;
}

export interface Approval {
  by: string[];
  deadline_at: string | null;
  requester_may_approve: boolean;
  decision: null | 'approved' | 'rejected';
  decided_by: Person | null;
  comment: string;
  decided_at: string | null;
}

export interface TaskRun {
  id: string;
  key: string;
  name: string;
  parent: string | null;
  kind: string;
  title: string;
  state: TaskState;
  reason: string;
  queue: string | null;
  waiting_on: number;
  retries_used: number;
  retries_limit: number;
  lost: number;
  next_attempt_at: string | null;
  ready_at: string | null;
  started_at: string | null;
  finished_at: string | null;
  attempt: AttemptSummary | null;
  approval: Approval | null;
}

export interface Attempt extends AttemptSummary {
  resume_no: number;
  worker: string | null;
  host: string | null;
  exit_code: number | null;
  pid: number | null;
  isolation: string | null;
  log_lines: number;
}

export interface ArtifactRef {
  id: string;
  name?: string;
  sha256: string;
  size: number;
  media_type?: string;
}

export interface TaskInput {
  name: string;
  type: string;
  value?: Json;
  artifact?: ArtifactRef | null;
}

export interface TaskOutput {
  name: string;
  type: string;
  value: Json | null;
  sha256: string | null;
  size: number | null;
  media_type: string | null;
  meta: Record<string, Json> | null;
  artifact: string | null;
}

export interface TaskRunDetail extends TaskRun {
  attempts: Attempt[];
  inputs: TaskInput[];
  outputs: TaskOutput[];
}

export interface ResumePlan {
  allowed: boolean;
  why_not: string | null;
  tasks: { key: string; action: 'run' | 'keep'; reason: string }[];
}

export interface LogSlice {
  offset: number;
  lines: string[];
  next: number;
  total: number;
  complete: boolean;
  dropped_bytes: number;
}

export interface Endpoint {
  name: string;
  team: string;
  stage: string;
  address: string;
}

export interface Move {
  model: string;
  version: number;
  since: string;
  moved_by: Person | null;
  run: string | null;
  reason?: string;
}

export interface Deployment {
  endpoint: Endpoint;
  current: Move | null;
  history: Move[];
}

export type DeploymentItem = Omit<Deployment, 'history'>;

export interface TraceNode {
  id: string;
  type: 'deployment' | 'model_version' | 'artifact' | 'record';
  label: string;
  detail: Record<string, Json>;
}

export interface TraceEdge {
  from: string;
  to: string;
  slot: string;
}

export interface TraceApproval {
  decision: 'approved' | 'rejected';
  by: Person;
  comment: string;
  at: string;
  digest: string;
  was_requester: boolean;
}

export interface Trace {
  complete: boolean;
  missing: string[];
  deployment: Record<string, Json>;
  model: { name: string; version: number; sha256: string; metrics: Record<string, Json> } | null;
  approval: TraceApproval | null;
  nodes: TraceNode[];
  edges: TraceEdge[];
  code: { location: string; snapshot: string; entry: string | null }[];
  environment: { fingerprint: string; python: string; packages: { name: string; version: string }[] }[];
  parameters: Record<string, Json>;
  data: { name: string; sha256: string; size: number | null; rows: number | null }[];
  gaps: { record: string; code: string; message: string }[];
}

/** RFC 9457 problem. */
export interface ProblemBody {
  type?: string;
  title: string;
  status: number;
  detail?: string;
  code?: string;
  errors?: { field: string; message: string }[];
}
