import type { components } from './schema';

/*
 * The nouns of API v1 by short names. All of them come from the contract; where it can only say "any JSON", the
 * narrower type that the pages rely on is written here. Ids are uuids, times ISO 8601 in UTC, sizes bytes.
 */

type Schemas = components['schemas'];

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonMap = Record<string, Json>;

/** A noun of the contract with some fields said more exactly. */
type With<Noun, Fields> = Omit<Noun, keyof Fields> & Fields;

export interface Page<T> {
  next: string | null;
  previous: string | null;
  results: T[];
}

export type Person = Schemas['Person'];
/** Owner or deputy of a pipeline; not active once they have left. */
export type Keeper = Schemas['Keeper'];
export type Member = Schemas['Member'];
export type Me = Schemas['Me'];
export type TaskState = Schemas['TaskState'];
export type RunState = Schemas['RunState'];
export type AttemptState = Schemas['AttemptState'];

export interface Parameter {
  type: 'string' | 'number' | 'integer' | 'boolean' | 'json';
  default?: Json;
  description?: string;
  enum?: Json[];
  minimum?: number;
  maximum?: number;
  min_length?: number;
  max_length?: number;
}

export type Parameters = Record<string, Parameter>;

export type RunGlyph = Schemas['RunGlyph'];
export type Pipeline = With<Schemas['Pipeline'], { parameters: Parameters }>;
export type GraphTask = With<Schemas['GraphTask'], { config: JsonMap }>;
export type GraphEdge = Schemas['GraphEdge'];
export interface PipelineGraph {
  tasks: GraphTask[];
  edges: GraphEdge[];
}
export type Version = With<Schemas['Version'], { graph: PipelineGraph; layout: JsonMap; parameters: Parameters }>;
export type VersionItem = Schemas['VersionItem'];

export type Draft = With<Schemas['Draft'], { layout: JsonMap }>;
export type PublishedVersion = With<Version, Pick<Schemas['PublishedVersion'], 'created' | 'problems'>>;

export type Cause = Schemas['CauseShape'];
export type TeamLimits = Schemas['TeamLimitsShape'];
export type WantedLimits = Schemas['SetTeamLimitsRequest'];
export type Quarantine = Schemas['QuarantineShape'];
/** Who paused a thing, until when and why. */
export type Paused = Pick<Schemas['QueueShape'], 'paused_at' | 'paused_by' | 'paused_until' | 'paused_reason'>;
export type PauseWish = Schemas['PauseThingRequest'];
export type Run = With<Schemas['RunShape'], { parameters: JsonMap; counts: Partial<Record<TaskState, number>> }>;
export type Approval = Schemas['ApprovalShape'];
export type TaskRun = Schemas['TaskRunShape'];
export type Attempt = Schemas['AttemptShape'];
export type Bytes = With<Schemas['BytesShape'], { meta: JsonMap }>;
export type TaskInput = With<Schemas['InputShape'], { value: Json; artifact: Bytes | null }>;
export type TaskOutput = With<Schemas['OutputShape'], { value: Json; meta: JsonMap }>;
export type TaskRunDetail = With<Schemas['TaskRunDetailShape'], { inputs: TaskInput[]; outputs: TaskOutput[] }>;
export type ResumePlan = Schemas['ResumePlanShape'];
export type RerunPlan = With<Schemas['RerunPlanShape'], { parameters: JsonMap }>;
export type ReusedFrom = Schemas['ReusedFromShape'];
export type ReuseAnswer = Schemas['ReuseShape'];
export type Explanation = Schemas['ExplanationShape'];
export type Blocker = Schemas['BlockerShape'];
export type BlockerLink = Schemas['BlockerLinkShape'];
export type LogSlice = Schemas['LogShape'];

export type Token = Schemas['Token'];
export type NewToken = Schemas['NewToken'];
export type Role = Schemas['SetMemberRequest']['roles'][number];
export type Scope = NonNullable<Schemas['MakeTokenRequest']['scopes']>[number];
export type ServiceAccount = Schemas['ServiceAccount'];
export type Grant = Schemas['GrantShape'];

export type Environment = Schemas['EnvironmentShape'];
export type EnvironmentDetail = Schemas['EnvironmentDetail'];
export type BuildLogSlice = Schemas['BuildLogShape'];

export type SecretSource = Schemas['SourceEnum'];
export type Secret = Schemas['SecretShape'];
export type SecretDetail = Schemas['SecretDetail'];

export type Endpoint = Schemas['EndpointItem'];
export type Move = Schemas['Move'];
export type Deployment = Schemas['DeploymentDetail'];
export type DeploymentItem = Schemas['DeploymentItem'];

export type TraceNode = With<Schemas['TraceNode'], { detail: JsonMap }>;
export type Trace = With<
  Schemas['Trace'],
  {
    deployment: JsonMap;
    model: With<Schemas['TraceModel'], { metrics: JsonMap }> | null;
    nodes: TraceNode[];
    parameters: JsonMap;
  }
>;

export type Artifact = With<
  Schemas['ArtifactDetail'],
  {
    metadata: JsonMap;
    value: Json;
    produced_by: With<Schemas['Producer'], { metrics: JsonMap }> | null;
    model_versions: RegisteredVersion[];
  }
>;
export type RegisteredVersion = With<Schemas['RegisteredVersion'], { metrics: JsonMap }>;
export type ArtifactItem = Schemas['ArtifactItem'];
export type Neighbour = Schemas['Neighbour'];
export type Entry = Schemas['PreviewEntry'];
export type Column = Schemas['PreviewColumn'];

interface Look<Kind extends string> {
  kind: Kind;
  /** A part is left out. */
  truncated: boolean;
}

export interface TablePreview extends Look<'table'> {
  format: 'parquet' | 'csv';
  columns: Column[];
  columns_total: number;
  rows: Json[][];
  /** Null: not counted. */
  row_count: number | null;
}

export interface ArrayPreview extends Look<'array'> {
  shape: number[];
  dtype: string;
  objects: boolean;
  summary: With<Schemas['ArraySummary'], { min: Json; max: Json }> | null;
  values: Json[][] | null;
}

export interface ImagePreview extends Look<'image'> {
  media_type: string;
  /** Pixels. */
  width: number;
  height: number;
}

export type FolderPreview = Look<'folder'> & { entries: Entry[]; count: number };
export type TextPreview = Look<'text'> & { text: string };
export type JsonPreview = Look<'json'> & { value: Json };
/** Nothing of the bytes is shown, and why. */
export type NoPreview = Look<'none' | 'model'> & { reason: string };

export type Preview =
  | TablePreview
  | ArrayPreview
  | ImagePreview
  | FolderPreview
  | TextPreview
  | JsonPreview
  | NoPreview;

export type ColumnProfile = With<
  Schemas['ColumnProfile'],
  {
    top: { value: Json; count: number }[];
    min?: Json;
    max?: Json;
    mean?: Json;
    std?: Json;
    quartiles?: Json[];
    histogram?: { from: Json; to: Json; counts: number[] };
  }
>;
export type TableProfile =
  | {
      kind: 'table';
      /** Looked at, from the first on. */
      rows: number;
      row_count: number | null;
      whole: boolean;
      columns_total: number;
      columns: ColumnProfile[];
    }
  | { kind: 'none'; reason: string };

/** RFC 9457 problem. */
export interface ProblemBody {
  type?: string;
  title: string;
  status: number;
  detail?: string;
  code?: string;
  errors?: { field: string; message: string }[];
}
