import type {
  Deployment,
  Explanation,
  Grant,
  JsonMap,
  Me,
  Member,
  Page,
  Person,
  Pipeline,
  ProblemBody,
  ResumePlan,
  ReuseAnswer,
  Run,
  SecretDetail,
  ServiceAccount,
  TaskRun,
  TaskRunDetail,
  Token,
  Trace,
  Version,
} from '../api/types';
import type { components } from '../api/schema';
import { makeAccount, type FakeAccount } from './account';
import { makeLimits } from './admission';
import type { FakeArtifact } from './artifacts';
import type { FakeEnvironment } from './environments';
import { makeMe, makeQueue } from './make';
import palette from './palette.json';

type Schemas = components['schemas'];
type Location = Schemas['Location'];

export interface FakeDraft {
  document: string;
  layout: JsonMap;
  /** What the ETag is made of. */
  revision: number;
  saved_by: Person | null;
  saved_at: string | null;
}

/** What the fake server knows. A test fills in what its page asks for. */
export interface World {
  /** Null: nobody is signed in. */
  me: Me | null;
  password: string;
  account: FakeAccount;
  pipelines: Pipeline[];
  /** Of all teams. */
  members: Member[];
  /** By "team:name". */
  versions: Record<string, Version[]>;
  /** By "team:name"; made from the newest version where absent. */
  drafts: Record<string, FakeDraft>;
  locations: Location[];
  /** Which code a pipeline uses, by "team:name"; none where absent. */
  codes: Record<string, Schemas['PipelineCode']>;
  /** Of every code location. */
  blocks: Schemas['Block'][];
  queues: Schemas['QueueShape'][];
  /** Of every team. */
  limits: Schemas['TeamLimitsShape'];
  quarantines: Schemas['QuarantineShape'][];
  runs: Run[];
  /** By run id. */
  tasks: Record<string, TaskRun[]>;
  /** By task run id; made from the task where absent. */
  details: Record<string, TaskRunDetail>;
  /** By attempt id. */
  logs: Record<string, { lines: string[]; complete: boolean; droppedBytes?: number }>;
  plans: Record<string, ResumePlan>;
  /** By task run: why its result was reused or not. */
  reuse: Record<string, ReuseAnswer>;
  /** By task run: why it is not running; made from its state where absent. */
  explanations: Record<string, Explanation>;
  secrets: SecretDetail[];
  grants: Grant[];
  serviceAccounts: ServiceAccount[];
  /** By user name of their account; one's own under ''. */
  tokens: Record<string, Token[]>;
  environments: FakeEnvironment[];
  /** What was put into secrets, by name. */
  values: Record<string, string>;
  artifacts: FakeArtifact[];
  deployments: Deployment[];
  /** By "team:name". */
  traces: Record<string, Trace>;
  /** Answers with these instead, by the beginning of "METHOD /path". */
  refuse: Record<string, ProblemBody>;
  /** Never answers these. */
  hang: string[];
  pageSize: number;
  /** Everything that was asked, "METHOD /path?query". */
  asked: string[];
  /** Told after a change, with the run. */
  onChange: (run: Run) => void;
}

export function makeWorld(change: Partial<World> = {}): World {
  return {
    me: makeMe(),
    password: 'secret',
    account: makeAccount(),
    pipelines: [],
    members: [],
    versions: {},
    drafts: {},
    locations: [],
    codes: {},
    blocks: palette.blocks,
    queues: [makeQueue('cpu'), makeQueue('gpu')],
    limits: makeLimits(),
    quarantines: [],
    runs: [],
    tasks: {},
    details: {},
    logs: {},
    plans: {},
    reuse: {},
    explanations: {},
    secrets: [],
    grants: [],
    serviceAccounts: [],
    tokens: {},
    environments: [],
    values: {},
    artifacts: [],
    deployments: [],
    traces: {},
    refuse: {},
    hang: [],
    pageSize: 50,
    asked: [],
    onChange: () => undefined,
    ...change,
  };
}

export type Handler = (world: World, params: string[], request: Request, url: URL) => unknown;

export class Refusal extends Error {
  readonly problem: ProblemBody;

  constructor(status: number, title: string, errors?: ProblemBody['errors'], code?: string) {
    super(title);
    this.problem = { status, title, ...(errors ? { errors } : {}), ...(code === undefined ? {} : { code }) };
  }
}

export function page<T>(world: World, items: T[], url: URL): Page<T> {
  const size = Math.min(Number(url.searchParams.get('page_size') ?? world.pageSize), 500);
  const from = Number(url.searchParams.get('cursor') ?? 0);
  const next = new URL(url);
  next.searchParams.set('cursor', String(from + size));
  return { next: from + size < items.length ? next.href : null, previous: null, results: items.slice(from, from + size) };
}

export function found<T>(item: T | undefined): T {
  if (item === undefined) throw new Refusal(404, 'This does not exist, or you may not see it.');
  return item;
}

export const addressOf = (item: { team: string; name: string }) => `${item.team}:${item.name}`;

export function pipelineOf(world: World, name: string): Pipeline {
  return found(world.pipelines.find((each) => addressOf(each) === name || each.name === name));
}
