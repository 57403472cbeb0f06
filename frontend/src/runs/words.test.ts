import { describe, expect, it } from 'vitest';
import { makeAttempt, makeTask } from '../testing/make';
import { filterKeys } from './filter';
import { progressOf } from './progress';
import { parseRunSearch } from './search';
import { attemptWords, cardLabel, causeSentence, exitWords, listWords, lostWords, slotWords, triggerWords } from './words';

it('does not say of a run that has not begun that it was started', () => {
  expect(triggerWords('api')).toBe('started over the API');
  expect(triggerWords('api', false)).toBe('asked for over the API');
});

describe('a task in words', () => {
  it('counts its attempts once it was tried again', () => {
    expect(attemptWords(makeTask('t', { attempt: makeAttempt(1), retries_limit: 2 }))).toBeUndefined();
    expect(attemptWords(makeTask('t', { attempt: makeAttempt(2), retries_limit: 2, retries_used: 1 }))).toBe('attempt 2');
    expect(attemptWords(makeTask('t', { attempt: makeAttempt(2), retries_limit: 1, retries_used: 0, lost: 1 }))).toBe('attempt 2');
    expect(attemptWords(makeTask('t', { attempt: makeAttempt(1), state: 'retry_wait', retries_used: 1 }))).toBe('after attempt 1');
  });

  it('says which signal ended a process', () => {
    expect([1, 0, 137, -9, -15, 200].map(exitWords)).toEqual(['1', '0', '137, killed', '137, killed', '143, asked to stop', '200']);
  });

  it('says why a lost attempt does not count', () => {
    expect(lostWords(1)).toBe('1 attempt: its worker was lost. It uses up no retry.');
    expect(lostWords(2)).toMatch(/^2 attempts: their workers were lost/);
  });

  it('says what an attempt held, equal units together', () => {
    const gpu = { kind: 'gpu', host: 'box', device: 'GPU-1', name: 'NVIDIA H100' };
    const seat = { kind: 'licence', host: '', device: '1', name: '' };
    expect(slotWords([gpu, { ...gpu, device: 'GPU-2' }, seat])).toBe('2 × NVIDIA H100, licence');
    expect(slotWords([])).toBe('');
  });

  it('says the whole card', () => {
    const task = makeTask('all/train', {
      state: 'failed',
      queue: 'gpu',
      message: 'out of memory',
      started_at: '2026-03-02T08:00:00Z',
      finished_at: '2026-03-02T08:00:12Z',
    });
    expect(cardLabel(task)).toBe('train, python, Failed, took 12s, queue gpu, out of memory');
  });

  it('names the cause as the server says it', () => {
    const cause = { task: 'train', task_run: 'x', attempt: 'y', attempt_no: 3, reason: 'oom', message: '' };
    expect(causeSentence(cause)).toBe('train failed, attempt 3: it ran out of memory');
    expect(causeSentence({ ...cause, message: 'exit 137: killed' })).toBe('train failed, attempt 3: exit 137: killed');
    expect(causeSentence({ ...cause, attempt: null, attempt_no: 0, reason: 'deadline' })).toBe(
      'train failed: nobody decided before the deadline',
    );
  });

  it('lists some and counts the rest', () => {
    expect(listWords(['a'])).toBe('a');
    expect(listWords(['a', 'b'])).toBe('a and b');
    expect(listWords(['a', 'b', 'c', 'd', 'e'])).toBe('a, b and 3 more');
  });
});

describe('the list of tasks', () => {
  const tasks = Object.fromEntries(
    [
      makeTask('load', { state: 'succeeded' }),
      makeTask('all', { kind: 'group', state: 'waiting' }),
      makeTask('report', { title: 'Weekly figures' }),
      makeTask('all/train', { state: 'failed' }),
    ].map((task) => [task.key, task]),
  );
  const keys = Object.keys(tasks);

  it('shows inner tasks under their group', () => {
    expect(filterKeys(keys, tasks, {})).toEqual(['load', 'all', 'all/train', 'report']);
  });

  it('finds by name, title and state, and hides what succeeded', () => {
    expect(filterKeys(keys, tasks, { q: 'TRAIN' })).toEqual(['all/train']);
    expect(filterKeys(keys, tasks, { q: 'figures' })).toEqual(['report']);
    expect(filterKeys(keys, tasks, { state: 'queued' })).toEqual(['all', 'report']);
    expect(filterKeys(keys, tasks, { hide: true })).toEqual(['all', 'all/train', 'report']);
  });
});

describe('progress', () => {
  it('counts what has ended and says what is unusual', () => {
    const progress = progressOf({ succeeded: 3, running: 1, pending: 2, failed: 1, upstream_failed: 1 });
    expect(progress).toMatchObject({ succeeded: 3, ended: 5, total: 8, words: '1 running, 1 failed, 1 not run' });
    expect(progress.parts).toEqual([
      { look: 'succeeded', count: 3 },
      { look: 'failed', count: 2 },
    ]);
  });

  it('of a run without tasks is nothing', () => expect(progressOf({})).toMatchObject({ ended: 0, total: 0, words: '' }));
});

describe('the address of a run page', () => {
  it('keeps what it knows and drops the rest', () => {
    expect(parseRunSearch({ task: 'a/b', attempt: '2', tab: 'log', line: 12, view: 'list', hide: true, x: 1 })).toEqual({
      task: 'a/b',
      attempt: 2,
      tab: 'log',
      line: 12,
      view: 'list',
      hide: true,
    });
    expect(parseRunSearch({ attempt: -1, line: 'x', tab: 'nope', view: 'grid', hide: 'no' })).toEqual({});
  });
});
