import { screen, within } from '@testing-library/react';
import { expect, it } from 'vitest';
import type { Blocker, TaskRun } from '../api/types';
import { makeBlocker, makeExplanation } from '../testing/explanations';
import { countsOf, makeRun, makeTask } from '../testing/make';
import { open } from '../testing/render';

function show(tasks: TaskRun[], ...blockers: Blocker[]) {
  const run = makeRun({ counts: countsOf(tasks), started_at: null });
  const explanations = Object.fromEntries(tasks.map((task) => [task.id, makeExplanation(task, ...blockers)]));
  return open(`/runs/${run.id}?view=list`, { runs: [run], tasks: { [run.id]: tasks }, explanations });
}

const line = () => screen.findByRole('note', { name: 'Why nothing runs' });
const WORKERLESS = makeBlocker({ code: 'no-workers', words: 'No worker serves the queue gpu.' });

it('says in the head of a run of which nothing runs why that is, and leads to the task', async () => {
  const { user, router } = show([makeTask('load', { state: 'succeeded' }), makeTask('train', { state: 'ready' })], WORKERLESS);
  expect(await line()).toHaveTextContent('Nothing of it runs now. train: No worker serves the queue gpu.');
  await user.click(within(await line()).getByRole('button', { name: 'train' }));
  expect(router.state.location.search).toMatchObject({ task: 'train' });
});

it('leads to what the reason names', async () => {
  const words = 'The GPU is held by digits #7: fit.';
  const links = [{ rel: 'held-by', href: '/runs/r7?task=fit', name: 'digits #7: fit' }];
  show([makeTask('train', { state: 'ready' })], makeBlocker({ code: 'slots-held', words, links }));
  expect(within(await line()).getByRole('link', { name: 'digits #7: fit' })).toHaveAttribute('href', '/runs/r7?task=fit');
});

it.each([
  ['another task of it runs', [makeTask('a', { state: 'running' }), makeTask('b', { state: 'ready' })], WORKERLESS],
  ['a person has to decide', [makeTask('a', { state: 'awaiting_approval' }), makeTask('b', { state: 'ready' })], WORKERLESS],
  ['the head says already that it is paused', [makeTask('a', { state: 'ready' })], makeBlocker({ code: 'run-paused', words: 'Paused.' })],
])('says nothing while %s', async (_, tasks, blocker) => {
  const { world } = show(tasks, blocker);
  await screen.findByRole('heading', { name: /run 12/ });
  await screen.findAllByText(tasks[0]!.key);
  if (tasks.length === 1) await expect.poll(() => world.asked.some((line) => line.includes('/explain/'))).toBe(true);
  expect(screen.queryByText(/Nothing of it runs/)).not.toBeInTheDocument();
});
