import { screen, within } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import { countsOf, makeAttempt, makeDetail, makeGraph, makeRun, makeTask, makeVersion } from '../testing/make';
import { open } from '../testing/render';
import type { World } from '../testing/server';

function show(task: ReturnType<typeof makeTask>, change: Partial<World> = {}) {
  const run = makeRun({ counts: countsOf([task]) });
  return open(`/runs/${run.id}?task=${task.key}`, {
    runs: [run],
    tasks: { [run.id]: [task] },
    versions: { 'demo:digits-training': [makeVersion(makeGraph([task.key]))] },
    ...change,
  });
}

describe('the isolation of tasks', () => {
  it('is told with what it gives', async () => {
    const task = makeTask('train', { state: 'succeeded' });
    show(task, { details: { [task.id]: makeDetail(task, { attempts: [makeAttempt(1, { isolation: 'shared user' })] }) } });
    const attempt = within(await screen.findByRole('region', { name: 'Attempt 1' }));
    expect(attempt.getByText(/^shared user: against accidents, not against hostile code/)).toBeVisible();
  });
});
