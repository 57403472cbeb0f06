import { screen, waitFor, within } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import type { Blocker, TaskRun } from '../api/types';
import { makeBlocker, makeExplanation } from '../testing/explanations';
import { countsOf, makeApproval, makeGraph, makeRun, makeTask, makeVersion } from '../testing/make';
import { open } from '../testing/render';
import type { World } from '../testing/server';
import { piecesWithLinks } from './linked';

const run = makeRun();

function show(task: TaskRun, blockers: Blocker[] | null, change: Partial<World> = {}, others: TaskRun[] = []) {
  const tasks = [...others, task];
  return open(`/runs/${run.id}?task=${encodeURIComponent(task.key)}&view=list`, {
    runs: [{ ...run, counts: countsOf(tasks) }],
    tasks: { [run.id]: tasks },
    versions: { 'demo:digits-training': [makeVersion(makeGraph([task.key]))] },
    explanations: blockers ? { [task.id]: makeExplanation(task, ...blockers) } : {},
    ...change,
  });
}

const box = async () => within(await screen.findByRole('region', { name: 'What it waits for' }));

it('says of a task that was tried again that it was ready again, and not that it waited since', async () => {
  const times = { started_at: '2026-03-02T06:51:20Z', ready_at: '2026-03-02T06:51:29Z', finished_at: '2026-03-02T06:52:00Z' };
  show(makeTask('nap', { state: 'succeeded', ...times }), null);
  expect(await screen.findByText('Ready again')).toBeVisible();
  expect(screen.queryByText('Waited')).not.toBeInTheDocument();
});

describe('why a task is not running', () => {
  it('names each thing in its way, with its time and what can be done', async () => {
    const until = new Date(Date.now() + 90_000).toISOString();
    show(makeTask('train', { state: 'ready' }), [
      makeBlocker({ code: 'queue-paused', words: 'The queue gpu is paused by Ana: cleaning.', since: '2026-03-02T08:00:00Z', until }),
      makeBlocker({ code: 'no-workers', words: 'No worker serves the queue gpu.', remedy: 'Start a worker: manage.py worker --queue gpu' }),
    ]);
    const items = within(await (await box()).findByRole('list')).getAllByRole('listitem');
    expect(items).toHaveLength(2);
    expect(items[0]).toHaveTextContent(/^The queue gpu is paused by Ana: cleaning\.For .*Until .*, 1m 2\ds from now$/);
    expect(items[1]).toHaveTextContent('No worker serves the queue gpu.Start a worker: manage.py worker --queue gpu');
  });

  it('leads to the tasks it waits for, beside the same list', async () => {
    const load = makeTask('load', { state: 'running' });
    const { user, router } = show(makeTask('train'), null, {}, [load]);
    await user.click((await box()).getByRole('link', { name: 'load' }));
    await waitFor(() => expect(router.state.location.search).toEqual({ task: 'load', view: 'list' }));
  });

  it('leads to other runs and to the console', async () => {
    const links = [
      { rel: 'busy-with', href: '/runs/other?task=fit', name: 'other #3: fit' },
      { rel: 'queue', href: '/admin/runs/queue/1/change/', name: 'gpu' },
    ];
    const words = 'The only worker of the queue gpu that takes tasks now is busy.';
    show(makeTask('train', { state: 'ready' }), [makeBlocker({ code: 'workers-busy', words, links })]);
    const found = await box();
    expect(found.getByRole('link', { name: 'other #3: fit' })).toHaveAttribute('href', '/runs/other?task=fit');
    expect(found.getByRole('link', { name: 'gpu' })).toHaveAttribute('href', '/admin/runs/queue/1/change/');
  });

  it('says that nothing is in its way', async () => {
    show(makeTask('train', { state: 'ready' }), []);
    expect((await box()).getByText(/^Nothing is in its way/)).toBeVisible();
  });

  it('is not asked of a task that has ended, and says nothing of one that simply runs', async () => {
    const { world } = show(makeTask('train', { state: 'succeeded' }), []);
    expect(await screen.findByRole('region', { name: 'Task' })).toBeVisible();
    expect(world.asked.some((line) => line.includes('/explain/'))).toBe(false);
  });

  it('says what a running task has to have built first', async () => {
    const words = 'Its environment is not there yet on ml-1, so it is built first.';
    show(makeTask('train', { state: 'running' }), [makeBlocker({ code: 'environment', words })]);
    expect((await box()).getByText(words)).toBeVisible();
  });

  it('leaves the question to whoever may decide, and tells the others who may', async () => {
    const words = 'It waits for approver to decide: Budi may.';
    const asked = (may: boolean) =>
      makeTask('ask', { kind: 'approval', state: 'awaiting_approval', approval: makeApproval({ may_decide: may, why_not: may ? null : 'No.' }) });
    const { unmount } = show(asked(false), [makeBlocker({ code: 'approval', words })]);
    expect((await box()).getByText(words)).toBeVisible();
    unmount();
    show(asked(true), [makeBlocker({ code: 'approval', words })]);
    expect(await screen.findByText('This run waits for a decision')).toBeVisible();
    expect(screen.queryByRole('region', { name: 'What it waits for' })).not.toBeInTheDocument();
  });

  it('has a waiting retry tried now', async () => {
    const task = makeTask('train', { state: 'retry_wait' });
    const { user, world } = show(task, [makeBlocker({ code: 'retry', words: 'It waits before it is tried again.' })]);
    await user.click((await box()).getByRole('button', { name: 'Try now' }));
    await waitFor(() => expect(world.asked).toContain(`POST /api/v1/task-runs/${task.id}/retry/`));
  });

  it('says when it cannot be known, and asks again', async () => {
    const task = makeTask('train', { state: 'ready' });
    const refuse = { [`GET /api/v1/task-runs/${task.id}/explain/`]: { status: 500, title: 'Broken.' } };
    const { user, world } = show(task, [], { refuse });
    expect(await screen.findByText('What it waits for could not be loaded.')).toBeVisible();
    world.refuse = {};
    await user.click(screen.getByRole('button', { name: 'Try again' }));
    expect((await box()).getByText(/^Nothing is in its way/)).toBeVisible();
  });
});

describe('a sentence with links', () => {
  const link = (name: string) => ({ rel: 'upstream', href: `/${name}`, name });
  const shown = (words: string, ...names: string[]) => {
    const { pieces, rest } = piecesWithLinks(words, names.map(link));
    return [pieces.map((piece) => (piece.link ? `[${piece.text}]` : piece.text)).join(''), rest.map(({ name }) => name)];
  };

  it('has them where it names them', () => {
    expect(shown('It waits for b (queued) and a (running).', 'a', 'b')).toEqual(['It waits for [b] (queued) and [a] (running).', []]);
  });

  it('takes no part of a longer name for the name', () => {
    expect(shown('It waits for load-all, all/load and load.', 'load')).toEqual(['It waits for load-all, all/load and [load].', []]);
  });

  it('lists those that it does not name beside it', () => {
    expect(shown('All workers are busy.', 'fit', 'a')).toEqual(['All workers are busy.', ['fit', 'a']]);
  });
});
