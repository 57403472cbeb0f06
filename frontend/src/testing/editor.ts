import type { GraphEdge, GraphTask, JsonMap, Pipeline, PipelineGraph, PublishedVersion, Version } from '../api/types';
import { read } from '../editor/document/read';
import type { LinkModel, Model, Problem, TaskModel } from '../editor/types';
import { digest, makePipeline, makeVersion } from './make';
import palette from './palette.json';
import { codeProblemsOf, signaturesOf } from './python';
import { addressOf, found, page, pipelineOf, Refusal, type FakeDraft, type Handler, type World } from './world';

/* What the fake server answers to the editor. Its judgement of a text is the reader's alone. */

function draftOf(world: World, name: string): FakeDraft {
  const address = addressOf(pipelineOf(world, name));
  const newest = world.versions[address]?.[0];
  return (world.drafts[address] ??= {
    document: newest?.text ?? '',
    layout: newest?.layout ?? {},
    revision: 1,
    saved_by: null,
    saved_at: null,
  });
}

function shownDraft({ revision, ...draft }: FakeDraft) {
  const { model, problems } = read(draft.document);
  return { ...draft, etag: `"${revision}"`, problems: model === null ? problems : [] };
}

interface Saved {
  document: string;
  layout?: JsonMap;
}

async function saveDraft(world: World, [name = '']: string[], request: Request): Promise<unknown> {
  const draft = draftOf(world, name);
  refuseStale(draft, request);
  const { document, layout } = (await request.json()) as Saved;
  writeDraft(world, draft, document, layout ?? draft.layout);
  return shownDraft(draft);
}

function refuseStale({ revision }: FakeDraft, request: Request): void {
  const expected = request.headers.get('If-Match');
  if (expected !== null && expected !== `"${revision}"`) throw new Refusal(412, 'Somebody saved in between: read the draft again.');
}

function writeDraft(world: World, draft: FakeDraft, document: string, layout: JsonMap): void {
  const person = world.me && { username: world.me.username, name: world.me.name };
  Object.assign(draft, { document, layout, revision: draft.revision + 1, saved_by: person, saved_at: new Date().toISOString() });
}

function taskOf(task: TaskModel): GraphTask {
  const { key, name, parent, kind, title, scope, raw } = task;
  const queue = typeof raw.queue === 'string' ? raw.queue : scope || kind === 'approval' ? null : 'cpu';
  return { key, name, parent, kind, title, queue, config: {}, inputs: [], outputs: [] };
}

/** Several links between the same two tasks are one edge. */
function edgesOf(links: readonly LinkModel[]): GraphEdge[] {
  const edges = new Map<string, GraphEdge>();
  for (const { from, to, sort, rule } of links) {
    const key = `${from}>${to}`;
    const known = edges.get(key);
    if (known) known.data ||= sort === 'data';
    else edges.set(key, { up: from, down: to, rule, data: sort === 'data' });
  }
  return [...edges.values()];
}

export function graphOf(model: Model): PipelineGraph {
  return { tasks: [...model.tasks.values()].map(taskOf), edges: edgesOf(model.links) };
}

async function validate(_: World, __: string[], request: Request): Promise<unknown> {
  const { document } = (await request.json()) as Saved;
  const { model, problems } = read(document);
  if (model === null) return { problems, graph: null, signatures: {} };
  return { problems: [...problems, ...codeProblemsOf(model, document)], graph: graphOf(model), signatures: signaturesOf(model) };
}

async function publish(world: World, [name = '']: string[], request: Request): Promise<PublishedVersion> {
  const pipeline = pipelineOf(world, name);
  const { message, activate } = (await request.json()) as { message: string; activate: boolean };
  const draft = draftOf(world, name);
  refuseStale(draft, request);
  const versions = (world.versions[addressOf(pipeline)] ??= []);
  const { model, problems } = read(draft.document);
  if (model === null) throw new Refusal(422, 'The draft has problems.', problems.map(fieldOf));
  const [newest] = versions;
  if (newest?.text === draft.document) return { ...newest, created: false, problems: [] };
  const version = makeVersion(graphOf(model), {
    number: (newest?.number ?? 0) + 1,
    message,
    active: false,
    created_at: new Date().toISOString(),
    created_by: world.me && { username: world.me.username, name: world.me.name },
    text: draft.document,
    text_sha256: digest(draft.document),
    spec_sha256: digest(JSON.stringify(model.head)),
    layout: draft.layout,
    parameters: model.parameters,
  });
  versions.unshift(version);
  if (activate) pointAt(pipeline, versions, version);
  return { ...version, created: true, problems: [] };
}

const fieldOf = ({ path, message }: Problem) => ({ field: path || 'document', message });

function pointAt(pipeline: Pipeline, versions: Version[], active: Version): Pipeline {
  for (const version of versions) version.active = version === active;
  const { number, created_at, created_by, message, parameters } = active;
  return Object.assign(pipeline, { active_version: { number, created_at, created_by, message }, parameters });
}

async function activate(world: World, [name = '']: string[], request: Request): Promise<Pipeline> {
  const pipeline = pipelineOf(world, name);
  const versions = world.versions[addressOf(pipeline)] ?? [];
  const { version: number } = (await request.json()) as { version: number };
  return pointAt(pipeline, versions, found(versions.find((version) => version.number === number)));
}

async function create(world: World, _: string[], request: Request): Promise<Pipeline> {
  const { name, team, document } = (await request.json()) as { name: string; team: string; document: string };
  if (world.pipelines.some((each) => each.name === name && each.team === team)) {
    throw new Refusal(409, `The team ${team} has, or had, a pipeline '${name}': choose another name.`, undefined, 'name-taken');
  }
  const title = read(document).model?.title ?? '';
  const pipeline = makePipeline({ name, team, title, description: '', active_version: null, parameters: {}, state: null, last_runs: [] });
  world.pipelines.push(pipeline);
  world.drafts[addressOf(pipeline)] = { document, layout: {}, revision: 1, saved_by: null, saved_at: null };
  return pipeline;
}

export const EDITOR_ROUTES: [string, RegExp, Handler][] = [
  ['POST', /^\/api\/v1\/pipelines\/$/, create],
  ['GET', /^\/api\/v1\/pipelines\/([^/]+)\/draft\/$/, (world, [name = '']) => shownDraft(draftOf(world, name))],
  ['PUT', /^\/api\/v1\/pipelines\/([^/]+)\/draft\/$/, saveDraft],
  ['POST', /^\/api\/v1\/pipelines\/([^/]+)\/versions\/$/, publish],
  ['POST', /^\/api\/v1\/pipelines\/([^/]+)\/activate\/$/, activate],
  ['POST', /^\/api\/v1\/validate\/$/, validate],
  ['GET', /^\/api\/v1\/kinds\/$/, () => palette.kinds],
  ['GET', /^\/api\/v1\/code-locations\/$/, (world, _, __, url) => page(world, world.locations, url)],
  ['GET', /^\/api\/v1\/code-locations\/([^/]+)\/blocks\/$/, (world) => ({ snapshot: digest('code'), blocks: world.blocks })],
  ['GET', /^\/api\/v1\/queues\/$/, (world, _, __, url) => page(world, world.queues, url)],
  ['GET', /^\/api\/v1\/endpoints\/$/, (world, _, __, url) => page(world, world.deployments.map(({ endpoint }) => endpoint), url)],
];
