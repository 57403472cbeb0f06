import { screen, waitFor, within } from '@testing-library/react';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Run, TaskRun } from '../api/types';
import { countsOf, makeDetail, makeGraph, makeRun, makeTask, makeVersion } from '../testing/make';
import { open } from '../testing/render';
import { makeReuse } from '../testing/reruns';
import type { World } from '../testing/server';

const GRAPH = makeGraph(['ingest>train', 'train>report']);
const PARAMETERS = { learning_rate: { type: 'number' as const, default: 0.5, description: 'Step size' } };

function world(tasks?: TaskRun[], change: Partial<Run> = {}): Partial<World> & { id: string } {
  const rows = tasks ?? ['ingest', 'train', 'report'].map((key) => makeTask(key, { state: 'succeeded' }));
  const run = makeRun({ state: 'succeeded', parameters: { learning_rate: 0.1 }, counts: countsOf(rows), ...change });
  return {
    id: run.id,
    runs: [run],
    tasks: { [run.id]: rows },
    versions: {
      'demo:digits-training': [
        makeVersion(GRAPH, { number: 4, active: false, message: 'Newer', parameters: PARAMETERS }),
        makeVersion(GRAPH, { parameters: PARAMETERS }),
      ],
    },
  };
}

function show({ id, ...rest }: ReturnType<typeof world>, search = '') {
  return open(`/runs/${id}${search}`, rest);
}

async function choose(user: ReturnType<typeof open>['user'], item: string) {
  await user.click(await screen.findByRole('button', { name: 'Rerun' }));
  await user.click(await screen.findByRole('menuitem', { name: item }));
  return within(await screen.findByRole('dialog'));
}

beforeEach(() => localStorage.clear());

describe('the menu of a rerun', () => {
  it('is left out where the person may not run the pipeline', async () => {
    show(world(undefined, { can: { rerun: false, cancel: false, resume: false, pause: false, approve: false } }), '?view=list');
    await screen.findByRole('button', { name: 'train' });
    expect(screen.queryByRole('button', { name: 'Rerun' })).not.toBeInTheDocument();
  });

  it('shows what will happen before anything is done, and goes to the new run', async () => {
    const { user, world: live, router } = show(world(), '?view=list');
    const dialog = await choose(user, 'All tasks…');
    expect(await dialog.findByText('0 tasks will run, 3 are reused.')).toBeVisible();
    expect(live.runs).toHaveLength(1);
    await user.click(dialog.getByRole('button', { name: 'Start run' }));
    await waitFor(() => expect(live.runs).toHaveLength(2));
    await waitFor(() => expect(router.state.location.pathname).toBe(`/runs/${live.runs[0]?.id}`));
    expect(await screen.findByRole('link', { name: 'run 12' })).toBeVisible();
  });

  it('makes the plan anew when a parameter changes, which begins as it was in the old run', async () => {
    const { user } = show(world(), '?view=list');
    const dialog = await choose(user, 'All tasks…');
    const field = await dialog.findByRole('textbox', { name: /learning_rate/ });
    expect(field).toHaveValue('0.1');
    await user.clear(field);
    await user.type(field, '0.2');
    expect(await dialog.findByText('1 task will run, 0 are reused, 2 are decided during the run.')).toBeVisible();
    expect(dialog.getByText('Parameter learning_rate: 0.1 → 0.2')).toBeVisible();
  });

  it('asks for a correction before it plans with a wrong parameter', async () => {
    const { user } = show(world(), '?view=list');
    const dialog = await choose(user, 'All tasks…');
    const field = await dialog.findByRole('textbox', { name: /learning_rate/ });
    await user.clear(field);
    await user.type(field, 'fast');
    expect(await dialog.findByText('Correct the parameters first.')).toBeVisible();
    expect(dialog.getByRole('button', { name: 'Start run' })).toBeDisabled();
  });

  it('runs from the task that is open', async () => {
    const { user, world: live } = show(world(), '?view=list&task=train');
    const dialog = await choose(user, 'From train on…');
    expect(await dialog.findByText('2 tasks will run, 1 is reused.')).toBeVisible();
    expect(dialog.getByRole('combobox', { name: 'From task' })).toHaveValue('train');
    await user.click(dialog.getByRole('button', { name: 'Start run' }));
    await waitFor(() => expect(live.runs[0]?.rerun_of?.from).toBe('train'));
  });

  it('runs a selection, which must be made first', async () => {
    const { user } = show(world(), '?view=list');
    const dialog = await choose(user, 'Only some tasks…');
    expect(await dialog.findByText('Choose the tasks to run.')).toBeVisible();
    await user.click(await dialog.findByRole('checkbox', { name: 'train' }));
    expect(await dialog.findByText('1 task will run, 0 are reused.')).toBeVisible();
  });

  it('remembers whether results are to be reused', async () => {
    const { user, world: live } = show(world(), '?view=list');
    let dialog = await choose(user, 'All tasks…');
    await user.click(dialog.getByRole('checkbox', { name: 'Reuse results that are equal' }));
    expect(await dialog.findByText('3 tasks will run, 0 are reused.')).toBeVisible();
    await user.click(dialog.getByRole('button', { name: 'Start run' }));
    await waitFor(() => expect(live.runs).toHaveLength(2));
    await waitFor(() => expect(screen.queryByRole('dialog')).not.toBeInTheDocument());
    dialog = await choose(user, 'All tasks…');
    expect(dialog.getByRole('checkbox', { name: 'Reuse results that are equal' })).not.toBeChecked();
  });

  it('says what went wrong with the plan, and starts nothing', async () => {
    const made = world();
    const { user } = show({ ...made, refuse: { 'POST /api/v1/runs/': { status: 409, title: 'It is archived.' } } }, '?view=list');
    const dialog = await choose(user, 'All tasks…');
    expect(await dialog.findByText('The plan could not be made.')).toBeVisible();
    expect(dialog.getByRole('button', { name: 'Start run' })).toBeDisabled();
  });
});

describe('a task that was reused', () => {
  const source = {
    attempt: 'a', attempt_no: 1, task_run: 't', task: 'train', run: 'r', number: 7, finished_at: '2026-03-02T08:00:00Z',
  };
  const train = makeTask('train', { state: 'succeeded', reason: 'reused', reused_from: source });

  it('says from which run, in the list and in its panel, and leads to the log of its maker', async () => {
    show({ ...world([train]), details: { [train.id]: makeDetail(train) } }, '?view=list&task=train&tab=log');
    expect(await screen.findByRole('cell', { name: 'Reused from run 7' })).toBeVisible();
    const link = await screen.findByRole('link', { name: 'To the log of the attempt that did the work' });
    expect(link).toHaveAttribute('href', '/runs/r?task=train&attempt=1&tab=log');
  });

  it('explains why a result was not reused, part by part', async () => {
    const ran = makeTask('train', { state: 'succeeded' });
    const answer = makeReuse({
      considered: true,
      sentence: 'Not reused: it differs from run 7 in one part.',
      nearest: source,
      differences: [{ part: 'parameters', name: 'rate', before: 1, after: 2, words: 'Parameter rate: 1 → 2' }],
    });
    show({ ...world([ran]), details: { [ran.id]: makeDetail(ran) }, reuse: { [ran.id]: answer } }, '?view=list&task=train');
    const box = within(await screen.findByRole('region', { name: 'Reuse' }));
    expect(box.getByText('Parameter rate: 1 → 2')).toBeVisible();
    expect(box.getByRole('link', { name: 'Compared with train in run 7' })).toBeVisible();
  });
});
