import type {
  Deployment,
  DeploymentItem,
  Json,
  LogSlice,
  Me,
  Page,
  Pipeline,
  ResumePlan,
  Run,
  TaskRun,
  TaskRunDetail,
  Trace,
  Version,
  VersionItem,
} from './types';

/** What the pages ask of API v1, in the form openapi-fetch reads; shaped like the generated `paths`. */
interface Answer<T> {
  responses: { 200: { content: { 'application/json': T } } };
}
type PathOf<Path> = [Path] extends [never] ? { path?: never } : { path: Path };
interface Get<T, Query = never, Path = never> {
  get: Answer<T> & { parameters: { query?: Query } & PathOf<Path> };
}
interface Post<T, Body, Path = never> {
  post: Answer<T> & {
    parameters: { header?: { 'Idempotency-Key'?: string } } & PathOf<Path>;
    requestBody?: { content: { 'application/json': Body } };
  };
}

interface Slice {
  cursor?: string;
  page_size?: number;
}
interface Id {
  id: string;
}
interface Name {
  name: string;
}

export interface paths {
  '/api/v1/me/': Get<Me>;
  '/api/v1/pipelines/': Get<Page<Pipeline>, Slice & { q?: string; team?: string; owner?: string; tag?: string; state?: string }>;
  '/api/v1/pipelines/{name}/': Get<Pipeline, never, Name>;
  '/api/v1/pipelines/{name}/versions/': Get<Page<VersionItem>, Slice, Name>;
  '/api/v1/pipelines/{name}/versions/{number}/': Get<Version, never, { name: string; number: number }>;
  '/api/v1/pipelines/{name}/activate/': Post<unknown, { version: number }, Name>;
  '/api/v1/pipelines/{name}/runs/': Post<Run, { parameters: Record<string, Json>; version?: number }, Name>;
  '/api/v1/runs/': Get<Page<Run>, Slice & { pipeline?: string; state?: string; team?: string }>;
  '/api/v1/runs/{id}/': Get<Run, never, Id>;
  '/api/v1/runs/{id}/tasks/': Get<Page<TaskRun>, Slice & { since?: number }, Id>;
  '/api/v1/runs/{id}/cancel/': Post<Run, Record<string, never>, Id>;
  '/api/v1/runs/{id}/resume-plan/': Get<ResumePlan, never, Id>;
  '/api/v1/runs/{id}/resume/': Post<Run, Record<string, never>, Id>;
  '/api/v1/task-runs/{id}/': Get<TaskRunDetail, never, Id>;
  '/api/v1/task-runs/{id}/approve/': Post<TaskRun, { comment: string }, Id>;
  '/api/v1/task-runs/{id}/reject/': Post<TaskRun, { comment: string }, Id>;
  '/api/v1/task-runs/{id}/retry/': Post<TaskRun, Record<string, never>, Id>;
  '/api/v1/attempts/{id}/log/': Get<LogSlice, { offset?: number; limit?: number }, Id>;
  '/api/v1/deployments/': Get<Page<DeploymentItem>, Slice>;
  '/api/v1/deployments/{endpoint}/': Get<Deployment, { at?: string }, { endpoint: string }>;
  '/api/v1/deployments/{endpoint}/trace/': Get<Trace, { at?: string }, { endpoint: string }>;
}
