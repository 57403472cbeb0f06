import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { EMPTY_LAYOUT, makeEditor } from './store';
import { judgeChanges } from './validation';

const PROBLEM = { severity: 'error', code: 'bad-name', path: 'name', line: 1, column: 7, message: 'No.', params: {} };

interface Asked {
  body: { document: string; team: string };
  request: Request;
  answer: (body: unknown, status?: number) => void;
  fail: () => void;
}

let asked: Asked[];
let stop: () => void;

beforeEach(() => {
  vi.useFakeTimers();
  asked = [];
  vi.stubGlobal(
    'fetch',
    (request: Request) =>
      new Promise<Response>((resolve, reject) => {
        void request
          .clone()
          .json()
          .then((body: Asked['body']) =>
            asked.push({
              body,
              request,
              answer: (json, status = 200) => resolve(new Response(JSON.stringify(json), { status, headers: { 'Content-Type': 'application/json' } })),
              fail: () => reject(new TypeError('network')),
            }),
          );
      }),
  );
});

afterEach(() => {
  stop();
  vi.useRealTimers();
});

const answerOf = (problems: unknown[] = []) => ({ problems, graph: null, signatures: {} });
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

async function begin(text = 'name: a\n') {
  const store = makeEditor('vision:digits', text);
  stop = judgeChanges(store);
  await pass(1);
  const write = (next: string) => store.getState().transact('Edit', () => ({ text: next }));
  return { store, write };
}

it('judges the text that is opened, as one of its team', async () => {
  const { store } = await begin();
  expect(asked[0]!.body).toEqual({ document: 'name: a\n', team: 'vision' });
  asked[0]!.answer(answerOf([PROBLEM]));
  await pass(1);
  expect(store.getState().judged).toMatchObject({ text: 'name: a\n', problems: [PROBLEM], model: { name: 'a' } });
});

it('asks once, 400 ms after the last of several changes', async () => {
  const { write } = await begin();
  asked[0]!.answer(answerOf());
  write('name: ab\n');
  await pass(300);
  write('name: abc\n');
  await pass(399);
  expect(asked).toHaveLength(1);
  await pass(2);
  expect(asked.map(({ body }) => body.document)).toEqual(['name: a\n', 'name: abc\n']);
});

it('gives up the question about an older text', async () => {
  const { store, write } = await begin();
  write('name: ab\n');
  expect(asked[0]!.request.signal.aborted).toBe(true);
  asked[0]!.answer(answerOf([PROBLEM]));
  await pass(1);
  expect(store.getState().judged).toBeNull();
});

it('asks nothing when only boxes are moved, or when an undo brings back what was judged', async () => {
  const { store, write } = await begin();
  asked[0]!.answer(answerOf());
  await pass(1);
  store.getState().transact('Move', () => ({ layout: { ...EMPTY_LAYOUT, tasks: { a: { x: 1, y: 1 } } } }));
  write('name: ab\n');
  store.getState().undo();
  await pass(1000);
  expect(asked).toHaveLength(1);
});

it('asks again by itself when it got no answer, and not after the end', async () => {
  const { store } = await begin();
  asked[0]!.fail();
  await pass(10_001);
  expect(asked).toHaveLength(2);
  asked[1]!.answer(answerOf([PROBLEM]));
  await pass(1);
  expect(store.getState().judged?.problems).toEqual([PROBLEM]);
  stop();
  await pass(60_000);
  expect(asked).toHaveLength(2);
});

it('is silent about a dead network and asks again with the next change', async () => {
  const { store, write } = await begin();
  asked[0]!.fail();
  await pass(1000);
  expect(store.getState().judged).toBeNull();
  write('name: ab\n');
  await pass(401);
  asked[1]!.answer(answerOf());
  await pass(1);
  expect(store.getState().judged?.text).toBe('name: ab\n');
});

it('judges a document that was loaded anew, even with the same text', async () => {
  const { store } = await begin();
  asked[0]!.answer(answerOf());
  await pass(1);
  store.getState().load('name: a\n', EMPTY_LAYOUT);
  await pass(401);
  expect(asked).toHaveLength(2);
});

it('asks nothing about a text that cannot be read, and keeps what was said before it', async () => {
  const { store, write } = await begin();
  asked[0]!.answer(answerOf([PROBLEM]));
  await pass(1);
  write('name: [\n');
  await pass(1000);
  expect(asked).toHaveLength(1);
  expect(store.getState().judged?.problems).toEqual([PROBLEM]);
  write('name: b\n');
  await pass(401);
  expect(asked).toHaveLength(2);
});
