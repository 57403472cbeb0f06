import type {
  Artifact,
  ArtifactItem,
  ColumnProfile,
  Entry,
  Neighbour,
  Preview,
  RegisteredVersion,
  TablePreview,
  TableProfile,
} from '../api/types';
import { ana, digest, uuid } from './make';
import { found, page, Refusal, type Handler, type World } from './world';

/* Artifacts of the fake server: what they are, a look into them, and what is one step away. */

export interface FakeArtifact {
  detail: Artifact;
  preview: Preview;
  profile?: TableProfile;
  /** Of a folder: a look into its files, by path. */
  files?: Record<string, Preview>;
  entries?: Entry[];
  upstream?: Neighbour[];
  downstream?: Neighbour[];
}

type Producer = NonNullable<Artifact['produced_by']>;

export function makeRecord(task: string, change: Partial<Producer> = {}): Producer {
  return {
    id: uuid(),
    job: `digits-training.${task}`,
    task,
    kind: 'python',
    state: 'succeeded',
    attempt_no: 1,
    run: uuid(),
    run_number: 12,
    started_at: '2026-03-02T08:00:00Z',
    finished_at: '2026-03-02T08:01:00Z',
    grade: 'B',
    digest: digest(task),
    pipeline: { team: 'demo', name: 'digits-training', title: 'Handwritten digits' },
    version: 3,
    requested_by: ana,
    metrics: {},
    ...change,
  };
}

export function makeArtifact(name: string, kind: string, change: Partial<Artifact> = {}): Artifact {
  const [, task = 'train', slot = 'model'] = name.split('.');
  return {
    id: uuid(),
    team: 'demo',
    name,
    kind,
    sha256: digest(name),
    size: 234_567,
    media_type: '',
    metadata: {},
    created_at: '2026-03-02T08:01:00Z',
    file_name: '',
    is_folder: kind === 'folder',
    present: true,
    value: null,
    produced_by: makeRecord(task),
    slot,
    model_versions: [],
    ...change,
  };
}

/** An artifact as a list shows it. */
export function itemOf({ id, team, name, kind, sha256, size, media_type, metadata, created_at }: Artifact): ArtifactItem {
  return { id, team, name, kind, sha256, size, media_type, metadata, created_at };
}

/** A record beside an artifact: what it read or wrote further on. */
export function makeNeighbour(task: string, slot: string, beyond: Artifact[], change: Partial<Producer> = {}): Neighbour {
  return {
    record: makeRecord(task, change),
    slot,
    artifacts: beyond.map((artifact, position) => ({ slot: artifact.slot ?? '', position, artifact: itemOf(artifact) })),
  };
}

export function makeRegistered(change: Partial<RegisteredVersion> = {}): RegisteredVersion {
  return {
    id: uuid(),
    model: 'digits',
    version: 3,
    sha256: digest('model'),
    artifact: uuid(),
    metrics: { accuracy: 0.9722 },
    created_at: '2026-03-02T08:02:00Z',
    registered_by: ana,
    run: uuid(),
    run_number: 12,
    team: 'demo',
    deployed_to: [{ team: 'demo', name: 'digits-prod', stage: 'demo' }],
    ...change,
  };
}

export function makeTable(rows: number, columns: number, change: Partial<TablePreview> = {}): TablePreview {
  const names = Array.from({ length: columns }, (_, at) => (at === 0 ? 'label' : at === 1 ? 'city' : `pixel_${at}`));
  return {
    kind: 'table',
    format: 'parquet',
    truncated: rows > 50,
    columns: names.map((name, at) => ({ name, type: at === 0 ? 'BIGINT' : at === 1 ? 'VARCHAR' : 'DOUBLE' })),
    columns_total: columns,
    rows: Array.from({ length: Math.min(rows, 50) }, (_, row) =>
      names.map((_name, at) => (at === 0 ? row % 10 : at === 1 ? (['Singapore', null, '', 'Köln'][row % 4] ?? null) : (row * at) / 7)),
    ),
    row_count: rows,
    ...change,
  };
}

export function makeProfile(rows: number, change: Partial<Extract<TableProfile, { kind: 'table' }>> = {}): TableProfile {
  const columns: ColumnProfile[] = [
    {
      name: 'label', type: 'BIGINT', nulls: 0, distinct: 10, top: [{ value: 0, count: rows / 10 }], min: 0, max: 9,
      mean: 4.5, std: 2.87, quartiles: [2, 4.5, 7], not_finite: 0,
      histogram: { from: 0, to: 9, counts: [178, 182, 177, 183, 181, 182, 181, 179, 174, 180] },
    },
    {
      name: 'city', type: 'VARCHAR', nulls: Math.round(rows / 4), distinct: 3,
      top: [{ value: 'Singapore', count: rows / 4 }, { value: '', count: rows / 4 }, { value: 'Köln', count: rows / 4 }],
      min: '', max: 'Singapore', lengths: [0, 9],
    },
    {
      name: 'pixel_2', type: 'DOUBLE', nulls: 0, distinct: rows, top: [], min: -3.2, max: 15.75, mean: 5.123456789, std: 1.5,
      quartiles: [1, 4.123456, 9], not_finite: 2, histogram: { from: -3.2, to: 15.75, counts: [1, 4, 9, 20, 42, 60, 40, 21, 8, 0, 0, 1] },
    },
    { name: 'parts', type: 'BIGINT[]', nulls: rows, distinct: null, top: [] },
  ];
  return { kind: 'table', rows, row_count: rows, whole: true, columns_total: columns.length, columns, ...change };
}

function artifactOf(world: World, [id = '']: string[]): FakeArtifact {
  return found(world.artifacts.find((each) => each.detail.id === id));
}

function previewOf(artifact: FakeArtifact, path: string | null): Preview {
  if (!artifact.detail.present) throw new Refusal(404, 'The bytes are not in the store any more.');
  return path === null ? artifact.preview : found(artifact.files?.[path]);
}

function entriesOf(world: World, { entries = [] }: FakeArtifact, url: URL) {
  const q = (url.searchParams.get('q') ?? '').toLowerCase();
  return page(world, entries.filter((entry) => entry.path.toLowerCase().includes(q)), url);
}

const PIXEL = Uint8Array.from(atob('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='), (letter) => letter.charCodeAt(0));

export const ARTIFACT_ROUTES: [string, RegExp, Handler][] = [
  ['GET', /^\/api\/v1\/artifacts\/([^/]+)\/$/, (world, params) => artifactOf(world, params).detail],
  ['GET', /^\/api\/v1\/artifacts\/([^/]+)\/preview\/$/, (world, params, _, url) => previewOf(artifactOf(world, params), url.searchParams.get('path'))],
  ['GET', /^\/api\/v1\/artifacts\/([^/]+)\/profile\/$/, (world, params) => found(artifactOf(world, params).profile)],
  ['GET', /^\/api\/v1\/artifacts\/([^/]+)\/image\/$/, () => new Response(PIXEL, { headers: { 'Content-Type': 'image/png' } })],
  ['GET', /^\/api\/v1\/artifacts\/([^/]+)\/entries\/$/, (world, params, _, url) => entriesOf(world, artifactOf(world, params), url)],
  ['GET', /^\/api\/v1\/artifacts\/([^/]+)\/upstream\/$/, (world, params, _, url) => page(world, artifactOf(world, params).upstream ?? [], url)],
  ['GET', /^\/api\/v1\/artifacts\/([^/]+)\/downstream\/$/, (world, params, _, url) => page(world, artifactOf(world, params).downstream ?? [], url)],
];
