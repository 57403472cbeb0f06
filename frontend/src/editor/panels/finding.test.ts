import { expect, it } from 'vitest';
import { docOf, EMPTY_LAYOUT } from '../store';
import { findTasks } from './finding';

const { model } = docOf(
  `name: digits
tasks:
  train:
    kind: python
    run: digits:train
    queue: gpu
    with: {rate: 0.25, table: "\${{ tasks.ingest.outputs.table }}"}
  ingest:
    kind: python
    title: Read the digits
    run: digits:ingest
  score:
    kind: group
    tasks:
      retrain: {kind: shell, run: "echo gpu"}
`,
  EMPTY_LAYOUT,
);

const found = (query: string) => findTasks(model, query).map(({ task, place }) => [task.key, place]);

it('finds by name, the beginning of a name first', () => {
  expect(found('train')).toEqual([
    ['train', ''],
    ['score/retrain', ''],
  ]);
});

it('finds by title, kind, queue and any value, in that order', () => {
  expect(found('read')).toEqual([['ingest', 'title']]);
  expect(found('shell')).toEqual([['score/retrain', 'kind']]);
  expect(found('gpu')).toEqual([
    ['train', 'queue'],
    ['score/retrain', 'run'],
  ]);
  expect(found('0.25')).toEqual([['train', 'with.rate']]);
});

it('wants every word, wherever it stands', () => {
  expect(found('PYTHON gpu')).toEqual([['train', 'kind']]);
  expect(found('shell train nowhere')).toEqual([]);
});

it('gives every task for no word', () => {
  expect(found(' ')).toHaveLength(4);
});
