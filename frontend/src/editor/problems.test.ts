import { beforeAll, describe, expect, it } from 'vitest';
import { checking } from './panels/form/check';
import { countsOf, keyOf, placeOf, problemsOf } from './problems';
import { docOf, EMPTY_CATALOGUE, EMPTY_LAYOUT } from './store';
import type { Block, Catalogue, Judged, Problem } from './types';

beforeAll(() => checking);

const TEXT = `schema: orchestrator/v1
name: digits
parameters:
  rate: {type: number}
tasks:
  ingest:
    kind: python
    run: digits:ingest
  train-all:
    kind: group
    tasks:
      fit:
        kind: python
        run: digits:fit
        with: {rate: lots}
  last:
    kind: approval
    by: [nobody]
`;

const LINES = { fit: 15, last: 18, rate: 4 };

function problem(path: string, line: number, more: Partial<Problem> = {}): Problem {
  return { severity: 'error', code: 'bad-value', path, line, column: 5, message: `${path} is wrong.`, params: {}, ...more };
}

const FIT = problem('tasks.train-all.tasks.fit.with.rate', LINES.fit);
const LAST = problem('tasks.last.by.0', LINES.last);
const RATE = problem('parameters.rate', LINES.rate);

const docOfText = (text: string) => docOf(text, EMPTY_LAYOUT);
const model = docOfText(TEXT).model;

function judgedOf(problems: Problem[], text = TEXT): Judged {
  return { text, problems, graph: null, signatures: {}, model: docOfText(text).model };
}

function shown(text: string, judged: Judged | null = judgedOf([RATE, FIT, LAST])) {
  const doc = docOf(text, EMPTY_LAYOUT, model);
  return problemsOf({ doc, judged, catalogue: EMPTY_CATALOGUE });
}

describe('the place of a problem', () => {
  it('is a field of the innermost task that its path names', () => {
    expect(placeOf(FIT, model)).toEqual({ key: 'train-all/fit', place: 'with.rate' });
    expect(keyOf(LAST, model)).toBe('last');
  });

  it('is in the head when the path names no task', () => {
    expect(placeOf(RATE, model)).toEqual({ key: null, place: 'parameters.rate' });
  });

  it('is the field that is missing', () => {
    const input = problem('tasks.ingest', 6, { code: 'missing-input', params: { name: 'table' } });
    const key = problem('tasks.last', 16, { code: 'missing-key', params: { name: 'deadline' } });
    expect(placeOf(input, model)).toEqual({ key: 'ingest', place: 'with.table' });
    expect(placeOf(key, model)).toEqual({ key: 'last', place: 'deadline' });
  });

  it('is the task around the line when there is no path', () => {
    expect(placeOf(problem('', 14, { code: 'duplicate-key' }), model)).toEqual({ key: 'train-all/fit', place: '' });
    expect(placeOf(problem('', 2), model)).toEqual({ key: null, place: '' });
  });

  it('is the head when a task of that name is not there', () => {
    expect(keyOf(problem('tasks.gone.with.x', 0), model)).toBeNull();
  });
});

describe('the problems of a document', () => {
  it('are what the server said of this very text', () => {
    expect(shown(TEXT)).toEqual([RATE, FIT, LAST]);
  });

  it('are none before anything was judged', () => {
    expect(shown(TEXT, null)).toEqual([]);
  });

  it('follow their lines when something above them changes', () => {
    const longer = TEXT.replace('  ingest:\n', '  ingest:\n    # reads the pictures\n    title: Read\n');
    expect(shown(longer).map(({ path, line }) => [path, line])).toEqual([
      [RATE.path, LINES.rate],
      [FIT.path, LINES.fit + 2],
      [LAST.path, LINES.last + 2],
    ]);
  });

  it('are gone at once for what is being put right, and only for that', () => {
    expect(shown(TEXT.replace('lots', '0.5'))).toEqual([RATE, LAST]);
    expect(shown(TEXT.replace('type: number', 'type: string'))).toEqual([FIT, LAST]);
  });

  it('are gone with their task', () => {
    expect(shown(TEXT.slice(0, TEXT.indexOf('  last:')))).toEqual([RATE, FIT]);
  });

  it('of having no tasks are gone with the first task', () => {
    const none = judgedOf([problem('tasks', 3)], 'schema: orchestrator/v1\nname: digits\ntasks: {}\n');
    expect(shown(none.text, none)).toHaveLength(1);
    expect(shown(`${none.text.replace('{}', '')}  first: {kind: shell, run: "true"}\n`, none)).toEqual([]);
  });

  it('say only why the text cannot be read, when it cannot', () => {
    const [only, ...others] = shown(TEXT.replace('[nobody]', '[nobody'));
    expect(only?.severity).toBe('error');
    expect(only?.message).not.toBe(LAST.message);
    expect(others.filter(({ path }) => path !== '')).toEqual([]);
  });

  it('of a judgement of an unreadable text are not carried over', () => {
    const broken: Judged = { ...judgedOf([problem('', 18)]), text: TEXT.replace('[nobody]', '[nobody'), model: null };
    expect(shown(TEXT, broken)).toEqual([]);
  });

  it('of what was just written are known here, until the server answers', () => {
    const block: Block = {
      id: 'digits:load',
      name: 'load',
      location: 'demo',
      doc: '',
      inputs: [{ name: 'path', type: 'string', required: true }],
      outputs: [],
      open: false,
      problem: '',
    };
    const catalogue: Catalogue = { ...EMPTY_CATALOGUE, blocks: new Map([[block.id, block]]) };
    const doc = docOf(TEXT.replace('digits:ingest', 'digits:load'), EMPTY_LAYOUT);
    const [found, ...others] = problemsOf({ doc, judged: judgedOf([FIT]), catalogue });
    expect(found).toMatchObject({ code: 'missing-input', path: 'tasks.ingest', line: 6, message: expect.stringContaining("'path'") as string });
    expect(others).toEqual([FIT]);
    const judged = { ...judgedOf([]), text: doc.text, model: doc.model };
    expect(problemsOf({ doc, judged, catalogue })).toEqual([]);
  });

  it('of a loop that was just closed are known here', () => {
    const doc = docOf(TEXT.replace('kind: approval', 'kind: approval\n    needs: [last]'), EMPTY_LAYOUT);
    const loops = problemsOf({ doc, judged: judgedOf([]), catalogue: EMPTY_CATALOGUE }).filter(({ code }) => code === 'cycle');
    expect(loops.map(({ path }) => path)).toEqual(['tasks.last.needs.0']);
  });

  it('are the same list while nothing changes', () => {
    const judged = judgedOf([FIT]);
    const doc = docOfText(TEXT);
    const list = problemsOf({ doc, judged, catalogue: EMPTY_CATALOGUE });
    expect(problemsOf({ doc: { ...doc, layout: { tasks: { last: { x: 1, y: 2 } }, notes: {} } }, judged, catalogue: EMPTY_CATALOGUE })).toBe(list);
  });

  it('are counted by severity', () => {
    expect(countsOf([FIT, LAST, problem('overlap', 1, { severity: 'warning' })])).toEqual({ errors: 2, warnings: 1 });
  });
});
