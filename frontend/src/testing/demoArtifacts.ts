import type { Entry } from '../api/types';
import { makeArtifact, makeNeighbour, makeProfile, makeRegistered, makeTable, type FakeArtifact } from './artifacts';
import { digest } from './make';

/* An artifact of each kind to look at: `/artifacts/table`, `/artifacts/model`, … on the fake server. */

const table = makeArtifact('digits-training.features.table', 'table', { id: 'table', media_type: 'application/vnd.apache.parquet' });
const raw = makeArtifact('digits-training.ingest.table', 'table', { id: 'raw', media_type: 'application/vnd.apache.parquet' });
const wide = makeArtifact('digits-training.a-task-with-a-very-long-name-indeed/and-one-inside.the_output_with_a_long_name_as_well', 'table', { id: 'wide', size: 98_765_432 });
const model = makeArtifact('digits-training.train.model', 'model', {
  id: 'model',
  media_type: 'application/x-joblib',
  metadata: { class: 'sklearn.neural_network._multilayer_perceptron.MLPClassifier', library: 'sklearn', library_version: '1.5.2' },
  model_versions: [makeRegistered(), makeRegistered({ model: 'digits-canary', version: 1, deployed_to: [], metrics: {} })],
});
const metrics = makeArtifact('digits-training.evaluate.metrics', 'json', { id: 'json', size: 412, value: { accuracy: 0.9722 } });
const report = makeArtifact('digits-training.evaluate.report', 'file', { id: 'text', file_name: 'report.md', media_type: 'text/markdown' });
const plot = makeArtifact('digits-training.evaluate.plot', 'image', { id: 'image', media_type: 'image/png' });
const folder = makeArtifact('digits-training.export.bundle', 'folder', { id: 'folder', size: 12_345_678 });
const array = makeArtifact('digits-training.embed.vectors', 'array', { id: 'array' });
const gone = makeArtifact('digits-training.ingest.archive', 'file', { id: 'gone', present: false, produced_by: null });
const odd = makeArtifact('digits-training.ingest.broken', 'table', { id: 'none' });

const file = (path: string, size = 2048): Entry => ({ path, size, sha256: digest(path), link: null });

export const DEMO_ARTIFACTS: FakeArtifact[] = [
  {
    detail: table,
    preview: makeTable(1797, 66),
    profile: makeProfile(1797),
    upstream: [makeNeighbour('features', 'table', [raw])],
    downstream: [makeNeighbour('evaluate', 'table', [metrics, report, plot]), makeNeighbour('train', 'table', [model])],
  },
  { detail: raw, preview: makeTable(1797, 65, { format: 'csv', row_count: null }), profile: makeProfile(100_000, { whole: false, row_count: null }), upstream: [makeNeighbour('ingest', 'table', [])], downstream: [makeNeighbour('features', 'table', [table])] },
  { detail: wide, preview: makeTable(150_000, 200, { columns_total: 230 }), profile: makeProfile(100_000, { whole: false, row_count: 150_000, columns_total: 230 }) },
  {
    detail: model,
    preview: { kind: 'model', truncated: false, reason: 'A model is opened by tasks only, never here: opening one runs its code.' },
    upstream: [makeNeighbour('train', 'model', [table])],
    downstream: Array.from({ length: 23 }, (_, at) => makeNeighbour('evaluate', 'model', [metrics], { run_number: 40 - at, state: at % 5 === 1 ? 'failed' : 'succeeded' })),
  },
  { detail: metrics, preview: { kind: 'json', truncated: false, value: { accuracy: 0.9722, confusion: [[35, 0], [1, 36]], classes: ['zero', 'one'] } } },
  { detail: report, preview: { kind: 'text', truncated: true, text: `# Report\n\n${'The network reads digits. '.repeat(60)}\n\tindented <b>not bold</b>\n` } },
  { detail: plot, preview: { kind: 'image', truncated: false, media_type: 'image/png', width: 640, height: 480 } },
  {
    detail: folder,
    preview: { kind: 'folder', truncated: false, count: 62, entries: [] },
    entries: [file('README.md', 812), { ...file('latest', 0), sha256: null, link: 'weights/0.bin' }, ...Array.from({ length: 60 }, (_, at) => file(`weights/${at}.bin`, at * 70_000))],
    files: { 'README.md': { kind: 'text', truncated: false, text: '# The bundle\n' } },
  },
  {
    detail: array,
    preview: { kind: 'array', truncated: true, shape: [1797, 64], dtype: '<f8', objects: false, summary: { min: -3.5, max: 15.25, mean: 0.0123456789, not_finite: 2 }, values: Array.from({ length: 20 }, (_, row) => Array.from({ length: 20 }, (_cell, at) => (row - at) / 3)) },
  },
  { detail: gone, preview: { kind: 'none', truncated: false, reason: '' } },
  { detail: odd, preview: { kind: 'none', truncated: false, reason: 'It is no Parquet file that can be read.' } },
];
