import { fireEvent, screen, waitFor, within } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import { makeArtifact, makeNeighbour, makeProfile, makeRecord, makeRegistered, makeTable, type FakeArtifact } from '../testing/artifacts';
import { digest, makeBytes, makeDetail, makeRun, makeTask, makeTrace, makeDeployment, makeMove } from '../testing/make';
import { open } from '../testing/render';
import { hopsOf, READERS } from './hops';
import { cellText, isNumeric } from './preview/cells';

const detail = makeArtifact('digits-training.features.table', 'table', { id: 'a1' });
const table: FakeArtifact = { detail, preview: makeTable(1797, 5), profile: makeProfile(1797) };
const at = (id: string, more = '') => `/artifacts/${id}?view=list${more}`;

function shown(fake: Partial<FakeArtifact> & Pick<FakeArtifact, 'preview'>, change: Parameters<typeof makeArtifact>[2] = {}) {
  const made = makeArtifact('digits-training.train.thing', 'file', { id: 'x', ...change });
  return open(at('x'), { artifacts: [{ detail: made, ...fake }] });
}

describe('the page of an artifact', () => {
  it('names it, its bytes, who made it and when, each a link', async () => {
    open(at('a1'), { artifacts: [table] });
    expect(await screen.findByRole('heading', { level: 1, name: 'digits-training.features.table' })).toBeVisible();
    expect(screen.getByRole('link', { name: 'run 12' })).toHaveAttribute('href', expect.stringContaining('/runs/'));
    expect(screen.getByRole('link', { name: 'features' })).toHaveAttribute('href', expect.stringContaining('task=features'));
    expect(screen.getByRole('link', { name: 'Handwritten digits' })).toHaveAttribute('href', '/pipelines/demo:digits-training');
    expect(screen.getByText(/The run was asked for by/)).toHaveTextContent('Ana Lim');
    const about = within(screen.getByRole('region', { name: 'About' }));
    expect(about.getByTitle(digest('digits-training.features.table'))).toBeVisible();
    expect(about.getByText('229 KiB')).toBeVisible();
    expect(screen.getByRole('link', { name: 'Download' })).toHaveAttribute('href', '/api/v1/artifacts/a1/content/');
  });

  it('shows that it loads, that there is none, and what went wrong', async () => {
    const first = open(at('a1'), { hang: ['GET /api/v1/artifacts'] });
    expect(await screen.findByText('Loading the artifact')).toBeInTheDocument();
    first.unmount();
    const second = open(at('nowhere'));
    expect(await screen.findByText('There is no such artifact, or you may not see it.')).toBeVisible();
    second.unmount();
    open(at('a1'), { refuse: { 'GET /api/v1/artifacts': { status: 500, title: 'Broken.' } } });
    expect(await screen.findByText('The artifact could not be loaded.')).toBeVisible();
  });

  it('says that the bytes are gone, and offers no download', async () => {
    shown({ preview: makeTable(1, 1) }, { present: false });
    expect(await screen.findByText('The bytes are gone')).toBeVisible();
    expect(screen.queryByRole('link', { name: 'Download' })).not.toBeInTheDocument();
    expect(screen.getByText('About')).toBeVisible();
  });

  it('says why nothing is shown, and what went wrong when looking', async () => {
    const first = shown({ preview: { kind: 'none', truncated: false, reason: 'It is no Parquet file that can be read.' } });
    expect(await screen.findByText('It is no Parquet file that can be read.')).toBeVisible();
    first.unmount();
    open(at('a1'), { artifacts: [table], refuse: { 'GET /api/v1/artifacts/a1/preview': { status: 503, title: 'Other tables are being looked at.' } } });
    expect(await screen.findByText('Other tables are being looked at.')).toBeVisible();
    expect(screen.getByRole('button', { name: 'Try again' })).toBeVisible();
  });
});

describe('a look into the bytes', () => {
  it('shows the first rows of a table under its schema', async () => {
    open(at('a1'), { artifacts: [table] });
    const rows = within(await screen.findByRole('region', { name: 'Rows of digits-training.features.table' }));
    expect(rows.getAllByRole('row')).toHaveLength(51);
    expect(rows.getByRole('columnheader', { name: 'city varchar' })).toBeVisible();
    expect(rows.getAllByText('null')[0]).toBeVisible();
    expect(screen.getByText('The first 50 rows of 1,797, 5 columns')).toBeVisible();
  });

  it('says how much of a long and wide table it shows', async () => {
    shown({ preview: makeTable(60, 3, { row_count: null, columns_total: 230 }) });
    expect(await screen.findByText('The first 50 rows, the first 3 of 230 columns')).toBeVisible();
  });

  it('asks for the profile when somebody wants it, and keeps that in the address', async () => {
    const { user, world, router } = open(at('a1'), { artifacts: [table] });
    await screen.findByRole('region', { name: /^Rows of/ });
    expect(world.asked.some((line) => line.includes('/profile/'))).toBe(false);
    await user.click(screen.getByRole('radio', { name: 'Profile' }));
    const profile = within(await screen.findByRole('region', { name: /^Profile of/ }));
    expect(router.state.location.search).toMatchObject({ tab: 'profile' });
    expect(screen.getByText('All 1,797 rows.')).toBeVisible();
    const label = within(profile.getByRole('row', { name: /^label/ }));
    expect(label.getByRole('img', { name: /from 0 to 9, at most 183 rows/ })).toBeVisible();
    expect(label.getByText('none')).toBeVisible();
    const city = within(profile.getByRole('row', { name: /^city/ }));
    expect(city.getByText('449 (25%)')).toBeVisible();
    expect(city.getByText('empty text')).toBeVisible();
    expect(profile.getByRole('img', { name: /pixel_2, 2 not finite/ })).toBeVisible();
    expect(profile.getByRole('cell', { name: '5.12346' })).toHaveAttribute('title', 'Standard deviation 1.5');
    expect(profile.getByText('all empty')).toBeVisible();
  });

  it('says honestly that a profile is of the first rows alone', async () => {
    const long = makeProfile(100_000, { whole: false, row_count: 150_000, columns_total: 230 });
    open(at('a1', '&tab=profile'), { artifacts: [{ ...table, profile: long }] });
    expect(await screen.findByText('The first 100,000 rows of 150,000; the others were not looked at. The first 4 of 230 columns.')).toBeVisible();
  });

  it('shows text as text, and says when it is the beginning', async () => {
    shown({ preview: { kind: 'text', truncated: true, text: '<b>hello</b>' } });
    expect(await screen.findByText('<b>hello</b>')).toBeVisible();
    expect(screen.getByText(/This is the beginning/)).toBeVisible();
  });

  it('shows a value as JSON', async () => {
    shown({ preview: { kind: 'json', truncated: false, value: { accuracy: 0.97 } } });
    expect(await screen.findByText(/"accuracy": 0.97/)).toBeVisible();
  });

  it('shows a picture in its size, and says so when it is broken', async () => {
    shown({ preview: { kind: 'image', truncated: false, media_type: 'image/png', width: 640, height: 480 } });
    const picture = await screen.findByRole('img', { name: 'digits-training.train.thing' });
    expect(picture).toHaveAttribute('src', '/api/v1/artifacts/x/image/');
    expect(picture).toHaveAttribute('width', '640');
    expect(screen.getByText('640 × 480 pixels, PNG')).toBeVisible();
    fireEvent.error(picture);
    expect(await screen.findByText(/its bytes are damaged/)).toBeVisible();
  });

  it('shows shape, type and bounds of an array, and leaves objects closed', async () => {
    const array = { kind: 'array' as const, truncated: false, dtype: '<f8', values: [[1.5, 2]], shape: [1, 2] };
    const first = shown({ preview: { ...array, objects: false, summary: { min: 1.5, max: 2, mean: 1.75, not_finite: 1 } } });
    expect(await screen.findByText('1 × 2')).toBeVisible();
    expect(screen.getByText('1 value, left out above')).toBeVisible();
    first.unmount();
    shown({ preview: { ...array, dtype: '|O', objects: true, summary: null, values: null } });
    expect(await screen.findByText(/Python objects, which stay closed/)).toBeVisible();
  });

  it('shows a model by its metrics, versions and endpoints, never opened', async () => {
    shown(
      { preview: { kind: 'model', truncated: false, reason: 'A model is opened by tasks only.' } },
      { kind: 'model', metadata: { library: 'sklearn' }, model_versions: [makeRegistered()], produced_by: makeRecord('train', { metrics: { loss: 0.25 } }) },
    );
    const preview = within(await screen.findByRole('region', { name: 'Preview' }));
    expect(await preview.findByText('sklearn')).toBeVisible();
    expect(preview.getByText('0.25')).toBeVisible();
    expect(preview.getByText('0.9722')).toBeVisible();
    expect(preview.getByRole('link', { name: 'digits-prod' })).toHaveAttribute('href', '/deployments/demo:digits-prod');
    expect(preview.getByText('A model is opened by tasks only.')).toBeVisible();
  });
});

describe('a folder', () => {
  const entries = ['README.md', ...Array.from({ length: 8 }, (_, number) => `weights/${number}.bin`)].map((path) => ({ path, size: 2048, sha256: digest(path), link: null }));
  const folder: FakeArtifact = {
    detail: makeArtifact('digits-training.export.bundle', 'folder', { id: 'f' }),
    preview: { kind: 'folder', truncated: false, count: 10, entries: [] },
    entries: [...entries, { path: 'zero', size: 0, sha256: null, link: 'weights/0.bin' }],
    files: { 'README.md': { kind: 'text', truncated: false, text: 'Read me.' } },
  };

  it('lists its files page by page, links as links, and finds one by its path', async () => {
    const { user, router } = open(at('f'), { artifacts: [folder], pageSize: 6 });
    const files = within(await screen.findByRole('region', { name: 'Files' }));
    expect(files.queryByText(/→ weights/)).not.toBeInTheDocument();
    await user.click(files.getByRole('button', { name: 'Load more' }));
    expect(await files.findByText('→ weights/0.bin')).toBeVisible();
    expect(screen.getByText('10 files')).toBeVisible();
    await user.type(screen.getByRole('searchbox', { name: 'Find a file' }), 'readme');
    await waitFor(() => expect(screen.queryByRole('button', { name: 'weights/3.bin' })).not.toBeInTheDocument());
    expect(screen.getByRole('button', { name: 'README.md' })).toBeVisible();
    expect(router.state.location.search).toMatchObject({ q: 'readme' });
  });

  it('opens one of its files in place and leads back', async () => {
    const { user, router } = open(at('f'), { artifacts: [folder] });
    await user.click(await screen.findByRole('button', { name: 'README.md' }));
    expect(await screen.findByText('Read me.')).toBeVisible();
    expect(router.state.location.search).toMatchObject({ path: 'README.md' });
    expect(screen.getByRole('link', { name: 'Download README.md' })).toHaveAttribute('href', '/api/v1/artifacts/f/content/?path=README.md');
    await user.click(screen.getByRole('button', { name: 'All files' }));
    expect(await screen.findByRole('button', { name: 'weights/3.bin' })).toBeVisible();
  });

  it('can be downloaded as the list of its files', async () => {
    open(at('f'), { artifacts: [folder] });
    expect(await screen.findByRole('link', { name: 'Download the list of files' })).toBeVisible();
  });
});

describe('what is upstream and downstream', () => {
  const raw = makeArtifact('digits-training.ingest.table', 'table', { id: 'raw' });
  const model = makeArtifact('digits-training.train.model', 'model', { id: 'model' });
  const between: FakeArtifact = {
    ...table,
    upstream: [makeNeighbour('features', 'table', [raw])],
    downstream: [makeNeighbour('train', 'table', [model]), makeNeighbour('check', 'table', [], { state: 'failed' })],
  };

  it('lists who wrote it from what, and who read it to make what', async () => {
    open(at('a1'), { artifacts: [between] });
    const up = within(await screen.findByRole('table', { name: 'Upstream' }));
    expect(up.getByRole('link', { name: 'digits-training.ingest.table' })).toHaveAttribute('href', '/artifacts/raw');
    const down = within(screen.getByRole('table', { name: 'Downstream' }));
    expect(down.getByRole('link', { name: 'digits-training.train.model' })).toHaveAttribute('href', '/artifacts/model');
    expect(down.getByText('Failed')).toBeVisible();
    expect(down.getByText('It wrote nothing.')).toBeVisible();
  });

  it('leads one step on', async () => {
    const { user } = open(at('a1'), { artifacts: [between, { detail: model, preview: { kind: 'model', truncated: false, reason: 'Closed.' } }] });
    await user.click(await screen.findByRole('link', { name: 'digits-training.train.model' }));
    expect(await screen.findByRole('heading', { level: 1, name: 'digits-training.train.model' })).toBeVisible();
    expect(await screen.findByText('No task has read it yet.')).toBeVisible();
  });

  it('says what could not be loaded', async () => {
    open(at('a1'), { artifacts: [between], refuse: { 'GET /api/v1/artifacts/a1/downstream': { status: 500, title: 'Broken.' } } });
    expect(await screen.findByText('What is upstream and downstream could not be loaded.')).toBeVisible();
    expect(screen.getByRole('region', { name: /^Rows of/ })).toBeVisible();
  });

  it('draws records between artifacts, each once, and not more than can be seen', () => {
    const twice = makeNeighbour('train', 'table', [model]);
    const { nodes, edges, cut } = hopsOf(detail, [makeNeighbour('features', 'table', [raw])], [twice, { ...twice, slot: 'again' }]);
    expect(nodes.map((node) => node.type)).toEqual(['artifact', 'record', 'artifact', 'record', 'artifact']);
    expect(edges.map((edge) => edge.slot)).toEqual(['table', 'table', 'table', 'model', 'again', 'model']);
    expect(cut).toBe(false);
    const many = Array.from({ length: READERS + 5 }, () => makeNeighbour('train', 'table', []));
    expect(hopsOf(detail, [], many)).toMatchObject({ cut: true, nodes: { length: READERS + 1 } });
  });
});

describe('the ways to an artifact', () => {
  it('lead from the outputs of a task', async () => {
    const run = makeRun({ state: 'succeeded' });
    const task = makeTask('train', { state: 'succeeded' });
    const output = makeBytes('model', 'model', { artifact: 'a1' });
    open(`/runs/${run.id}?task=train&tab=data`, { runs: [run], tasks: { [run.id]: [task] }, details: { [task.id]: makeDetail(task, { outputs: [output] }) } });
    expect(await screen.findByRole('link', { name: 'model' }, { timeout: 5000 })).toHaveAttribute('href', '/artifacts/a1');
  });

  it('lead from the data and the model of a trace', async () => {
    const trace = makeTrace();
    open('/deployments/demo:digits-prod?view=list', { deployments: [makeDeployment('digits-prod', {}, [makeMove()])], traces: { 'demo:digits-prod': trace } });
    const data = within(await screen.findByRole('region', { name: 'Data' }));
    expect(data.getAllByRole('link')[0]).toHaveAttribute('href', `/artifacts/${trace.data[0]?.artifact}`);
    expect(within(screen.getByRole('region', { name: 'Model and metrics' })).getByRole('link')).toHaveAttribute('href', `/artifacts/${trace.model?.artifact}`);
  });
});

describe('a cell', () => {
  it('shows six digits of a fraction and all of anything else', () => {
    expect(['0.1', '0.333333', '12345678', '4611686018427387905', 'nan']).toEqual(
      [0.1, 1 / 3, 12_345_678, '4611686018427387905', 'nan'].map(cellText),
    );
  });

  it('knows the numbers among the types', () => {
    expect(['BIGINT', 'UTINYINT', 'DECIMAL(18,2)', 'DOUBLE', 'INTEGER', 'HUGEINT'].every(isNumeric)).toBe(true);
    expect(['BIGINT[]', 'VARCHAR', 'STRUCT(a BIGINT)', 'INTERVAL', 'DATE'].some(isNumeric)).toBe(false);
  });
});
