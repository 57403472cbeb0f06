import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { read } from './read';
import { repositoryFile, NESTED, REPOSITORY } from './testing/samples';

/** What the text itself is refused for, before anybody asks what it means. */
const OF_THE_TEXT = new Set([
  ...['yaml-syntax', 'duplicate-key', 'anchor', 'alias', 'tag', 'several-documents', 'empty-document', 'key-not-text'],
  ...['bad-character', 'too-deep', 'yaml-version', 'number-not-finite', 'number-too-large'],
]);
const CORPUS = 'tests/pipelines/bad_documents';
const documents = readdirSync(join(REPOSITORY, CORPUS)).filter((name) => name !== 'not_utf8.yaml');

function expectedOf(text: string): string[] {
  const [first = ''] = text.split('\n');
  return [...first.matchAll(/([a-z0-9-]+)@(\d+)/g)].filter(([, code = '']) => OF_THE_TEXT.has(code)).map(([found]) => found);
}

describe('a bad document', () => {
  test.each(documents)('%s has the problems of its text on the lines where the server says them', (name) => {
    const text = repositoryFile(`${CORPUS}/${name}`);
    const found = read(text).problems.filter(({ code }) => OF_THE_TEXT.has(code)).map(({ code, line }) => `${code}@${line}`);
    expect(found).toEqual(expectedOf(text));
  });

  test('says where its tasks are no mapping, and is not drawn', () => {
    const { model, problems } = read(repositoryFile(`${CORPUS}/tasks_is_a_list.yaml`));
    expect(model).toBeNull();
    expect(problems).toMatchObject([{ code: 'wrong-type', path: 'tasks', line: 4, column: 1 }]);
  });

  test('is drawn as far as it can be understood', () => {
    expect(read(repositoryFile(`${CORPUS}/duplicate_key.yaml`)).model?.tasks.size).toBe(1);
    expect([...(read('tasks:\n  new:\n  other: {kind: nonsense}\n').model?.tasks.keys() ?? [])]).toEqual(['new', 'other']);
  });
});

describe('a document', () => {
  const model = read(NESTED).model!;

  test('has tasks in scopes, each with its lines', () => {
    expect([...model.tasks.keys()]).toEqual([
      ...['load', 'outer', 'outer/split', 'outer/inner', 'outer/inner/fit', 'outer/inner/score', 'outer/report'],
      ...['send', 'alarm', 'each', 'each/one', 'each/two'],
    ]);
    expect(model.tasks.get('outer/inner/score')).toMatchObject({
      parent: 'outer/inner',
      path: 'tasks.outer.tasks.inner.tasks.score',
      kind: 'shell',
      scope: false,
      line: 32,
      lastLine: 37,
    });
    expect(model.tasks.get('outer')).toMatchObject({ scope: true, line: 11, lastLine: 49 });
    expect(Object.keys(model.tasks.get('outer')!.raw)).toEqual(['kind', 'needs', 'with', 'outputs']);
  });

  test('has a link for every reference and every need', () => {
    const links = model.links.filter(({ to }) => ['send', 'alarm', 'each', 'outer/report'].includes(to));
    expect(links).toMatchObject([
      { sort: 'data', from: 'outer/inner', to: 'outer/report', output: 'score', input: 'score', rule: 'success', place: 'with.score' },
      { sort: 'data', from: 'outer/split', to: 'outer/report', output: 'right', input: 'right', rule: 'success', place: 'with.right' },
      { sort: 'order', from: 'outer/inner', to: 'outer/report', output: null, input: null, rule: 'success', place: 'needs.0' },
      { sort: 'data', from: 'outer', to: 'send', output: 'page', input: 'page', rule: 'success', place: 'with.page' },
      { sort: 'condition', from: 'outer', to: 'send', output: 'score', input: null, rule: 'success', place: 'when' },
      { sort: 'order', from: 'outer', to: 'alarm', output: null, input: null, rule: 'failure', place: 'needs.0' },
      { sort: 'data', from: 'load', to: 'each', output: 'rows', input: 'over', rule: 'success', place: 'over' },
    ]);
    expect(new Set(model.links.map(({ id }) => id)).size).toBe(model.links.length);
  });

  test('has the same tasks and links as objects where nothing about them changed', () => {
    const other = read(NESTED.replace('score > 0.5', 'score > 0.7')).model!;
    expect(other.tasks.get('each/two')).toBe(model.tasks.get('each/two'));
    expect(other.tasks.get('send')).not.toBe(model.tasks.get('send'));
    expect(other.links.find(({ to }) => to === 'alarm')).toBe(model.links.find(({ to }) => to === 'alarm'));
  });

  test('has a name, a title, parameters and a code location', () => {
    expect(read(repositoryFile('pipelines/demo/digits-training.yaml')).model).toMatchObject({
      name: 'digits-training',
      title: 'Handwritten digits',
      location: 'demo',
      parameters: { epochs: { default: 180 } },
    });
  });

  test('that is empty is an empty pipeline', () => {
    expect(read('').model?.tasks.size).toBe(0);
    expect(read('# nothing yet\n').problems).toMatchObject([{ code: 'empty-document' }]);
  });

  test('reads words and numbers as YAML 1.2 does', () => {
    const { head } = read('a: yes\nb: 0o17\nc: 1e3\nd: 0x1F\ne: ~\nf: 12:30\ng: "1"\nh: -.5\ni: on\n').model!;
    expect(head).toEqual({ a: 'yes', b: 15, c: 1000, d: 31, e: null, f: '12:30', g: '1', h: -0.5, i: 'on' });
  });
});
