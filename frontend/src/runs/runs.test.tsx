import { fireEvent, screen, waitFor, within } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import type { TaskRun } from '../api/types';
import { budi, countsOf, makeApproval, makeAttempt, makeBytes, makeDetail, makeGraph, makeOutput, makeRun, makeTask, makeVersion } from '../testing/make';
import { open } from '../testing/render';
import { FakeSocket } from '../testing/socket';
import type { World } from '../testing/server';

const GRAPH = makeGraph(['ingest>train', 'train>approve'], { approve: 'approval' });

/** A run with these tasks, its version, and a detail for each task. */
function aRun(tasks: TaskRun[], change: Parameters<typeof makeRun>[0] = {}): Partial<World> & { id: string } {
  const run = makeRun({ counts: countsOf(tasks), ...change });
  return {
    id: run.id,
    runs: [run],
    tasks: { [run.id]: tasks },
    versions: { 'demo:digits-training': [makeVersion(GRAPH)] },
  };
}

const three = (change: Partial<Record<string, Partial<TaskRun>>> = {}) => [
  makeTask('ingest', { state: 'succeeded', ...change.ingest }),
  makeTask('train', { state: 'running', queue: 'gpu', ...change.train }),
  makeTask('approve', { kind: 'approval', queue: '', approval: makeApproval(), ...change.approve }),
];

function show({ id, ...world }: Partial<World> & { id: string }, search = '') {
  return open(`/runs/${id}${search}`, world);
}

describe('the list of runs', () => {
  it('shows that it is loading', async () => {
    open('/runs', { hang: ['GET /api/v1/runs'] });
    expect(await screen.findByText('Loading the runs')).toBeInTheDocument();
  });

  it('says that there are none yet, and that none fits', async () => {
    const { user } = open('/runs', { runs: [] });
    expect(await screen.findByText('No runs yet')).toBeVisible();
    await user.selectOptions(screen.getByRole('combobox', { name: 'State' }), 'failed');
    expect(await screen.findByText('No run fits the filter')).toBeVisible();
  });

  it('says what went wrong', async () => {
    open('/runs', { refuse: { 'GET /api/v1/runs': { status: 500, title: 'Broken.' } } });
    expect(await screen.findByText('The runs could not be loaded.')).toBeVisible();
  });

  it('says of a run that has not begun what it waits for', async () => {
    const queued = { words: 'Queued behind #11, which has not ended.', behind: { id: 'before', number: 11 } };
    open('/runs', { runs: [makeRun({ state: 'queued', started_at: null, queued })] });
    expect(await screen.findByText('Queued behind #11, which has not ended.')).toBeVisible();
  });

  it('says of a run that was cancelled for a newer one which that is', async () => {
    open('/runs', { runs: [makeRun({ state: 'cancelled', replaced_by: { id: 'newer', number: 13 } })] });
    expect(await screen.findByText('Run 13 took its place.')).toBeVisible();
  });

  it('says the priority of a run that is not normal', async () => {
    open('/runs', { runs: [makeRun({ priority: 'critical' }), makeRun({ number: 13 })] });
    expect(await screen.findByText('priority critical')).toBeVisible();
    expect(screen.queryByText('priority normal')).not.toBeInTheDocument();
  });

  it('asks the server for one state, which stands in the address', async () => {
    const { world, user, router } = open('/runs', { runs: [makeRun(), makeRun({ number: 13, state: 'failed' })] });
    await screen.findByRole('link', { name: 'digits-training / run 12' });
    await user.selectOptions(screen.getByRole('combobox', { name: 'State' }), 'failed');
    await waitFor(() => expect(screen.queryByRole('link', { name: 'digits-training / run 12' })).not.toBeInTheDocument());
    expect(world.asked.some((line) => line.includes('state=failed'))).toBe(true);
    expect(router.state.location.search).toMatchObject({ state: 'failed' });
  });

  it('asks again when the socket says that something moved', async () => {
    const { world } = open('/runs', { runs: [] });
    await screen.findByText('No runs yet');
    world.runs = [makeRun()];
    FakeSocket.last.accept();
    FakeSocket.last.say({ type: 'run', id: 'r', seq: 1, pipeline: 'p', state: 'running' });
    expect(await screen.findByRole('link', { name: 'digits-training / run 12' }, { timeout: 3000 })).toBeVisible();
  });
});

describe('the page of a run', () => {
  it('says that there is no such run', async () => {
    open('/runs/nothing');
    expect(await screen.findByText('There is no such run.')).toBeVisible();
  });

  it('leads to the run before it while it is queued', async () => {
    const queued = { words: 'Queued behind #11, which has not ended.', behind: { id: 'before', number: 11 } };
    show(aRun(three(), { state: 'queued', started_at: null, queued }));
    expect(await screen.findByRole('link', { name: 'run 11' })).toHaveAttribute('href', '/runs/before');
  });

  it('leads to the newer run that took its place', async () => {
    show(aRun(three(), { state: 'cancelled', replaced_by: { id: 'newer', number: 13 } }));
    expect(await screen.findByRole('link', { name: 'run 13' })).toHaveAttribute('href', '/runs/newer');
    expect(screen.getByText(/took its place/)).toBeVisible();
  });

  it('says its priority where that is not the normal one', async () => {
    show(aRun(three(), { priority: 'low' }));
    expect(await screen.findByText('priority low')).toHaveAttribute('title', expect.stringContaining('go first'));
  });

  const quarantine = { task: 'train', words: 'train is in quarantine: in run #3 …', remedy: 'Have an operator lift it.' };

  it('says which task in quarantine holds it back where no run is before it', async () => {
    const { words } = quarantine;
    show(aRun(three(), { state: 'queued', started_at: null, queued: { words, behind: null }, quarantine }));
    expect(await screen.findByText(words)).toBeVisible();
    expect(screen.getByText(/The run does not begin/)).toBeVisible();
  });

  it('leads to the pipeline, and offers no resume, while a task that failed is in quarantine', async () => {
    show(aRun(three(), { state: 'failed', quarantine, can: { rerun: true, cancel: false, resume: false, pause: false, approve: false } }));
    const notice = (await screen.findByText(/cannot be resumed until that is lifted/)).closest('div');
    expect(within(notice!).getByRole('link', { name: 'digits-training' })).toHaveAttribute('href', '/pipelines/demo:digits-training');
    expect(notice).toHaveTextContent('Have an operator lift it.');
    expect(screen.queryByRole('button', { name: 'Resume' })).not.toBeInTheDocument();
  });

  it('shows the list twin of the graph, filtered by the address', async () => {
    show(aRun(three()), '?view=list&q=tr');
    const table = within(await screen.findByRole('table', { name: 'Tasks' }));
    expect(await table.findByRole('button', { name: 'train' })).toBeVisible();
    expect(table.queryByRole('button', { name: 'ingest' })).not.toBeInTheDocument();
  });

  it('moves without reload when the socket says so', async () => {
    const world = aRun(three());
    const { world: live } = show(world, '?view=list');
    await screen.findByRole('button', { name: 'train' });
    const run = live.runs[0];
    const train = live.tasks[world.id]?.find((task) => task.key === 'train');
    if (!run || !train) throw new Error('The fake server lost its run.');
    train.state = 'succeeded';
    run.last_seq = 9;
    FakeSocket.last.accept();
    FakeSocket.last.say({ type: 'run', id: run.id, seq: 9, pipeline: 'p', state: 'running' });
    await waitFor(() => expect(screen.getAllByText('Succeeded')).toHaveLength(2));
  });

  it('says when the socket is broken, and is right again afterwards', async () => {
    const world = aRun(three());
    const { world: live } = show(world, '?view=list');
    await screen.findByRole('button', { name: 'train' });
    FakeSocket.last.accept();
    FakeSocket.last.drop();
    expect(await screen.findByText('Reconnecting')).toBeVisible();
    const run = live.runs[0];
    if (run) Object.assign(run, { state: 'succeeded', last_seq: 20, finished_at: '2026-03-02T08:01:00Z' });
    await waitFor(() => expect(FakeSocket.all.length).toBeGreaterThan(1), { timeout: 3000 });
    FakeSocket.last.accept();
    FakeSocket.last.say({ type: 'subscribed', kind: 'run', id: world.id, seq: 20 });
    await waitFor(() => expect(screen.queryByText('Reconnecting')).not.toBeInTheDocument());
    await waitFor(() => expect(document.querySelector('header [data-state="succeeded"]')).not.toBeNull());
  });

  it('says first what failed, and leads to its log', async () => {
    const attempt = makeAttempt(3, { state: 'failed', reason: 'oom', log_lines: 2 });
    const train = makeTask('train', { state: 'failed', reason: 'oom', attempt });
    const { user, router, world } = show({
      ...aRun([train], {
        state: 'failed',
        finished_at: '2026-03-02T08:01:00Z',
        can: { rerun: true, cancel: false, resume: true, pause: false, approve: false },
        cause: { task: 'train', task_run: train.id, attempt: attempt.id, attempt_no: 3, reason: 'oom', message: 'out of memory' },
      }),
      details: { [train.id]: makeDetail(train, { attempts: [attempt] }) },
      logs: { [attempt.id]: { lines: ['one', 'two'], complete: true } },
    });
    const cause = within(await screen.findByRole('region', { name: 'What failed' }));
    expect(cause.getByText('train failed, attempt 3:')).toBeVisible();
    await user.click(cause.getByRole('button', { name: 'Log' }));
    expect(router.state.location.search).toMatchObject({ task: 'train', attempt: 3, tab: 'log' });
    expect(await screen.findByRole('log', { name: 'Log' })).toBeInTheDocument();
    expect(world.asked.some((line) => line.includes(`/attempts/${attempt.id}/log/`))).toBe(true);
  });

  it('shows the plan before it resumes', async () => {
    const tasks = [makeTask('ingest', { state: 'succeeded' }), makeTask('train', { state: 'failed', reason: 'error' })];
    const world = aRun(tasks, { state: 'failed', can: { rerun: true, cancel: false, resume: true, pause: false, approve: false } });
    const { user, world: live } = show({
      ...world,
      plans: {
        [world.id]: {
          allowed: true,
          why_not: null,
          tasks: [
            { key: 'ingest', action: 'keep', code: 'succeeded', reason: 'It succeeded.' },
            { key: 'train', action: 'run', code: 'failed', reason: 'It failed.' },
          ],
        },
      },
    });
    await user.click(await screen.findByRole('button', { name: 'Resume' }));
    const dialog = within(await screen.findByRole('dialog'));
    expect(await dialog.findByText('It failed.')).toBeVisible();
    expect(dialog.getByText('Kept as they are')).toBeVisible();
    await user.click(dialog.getByRole('button', { name: 'Run 1 task' }));
    await waitFor(() => expect(screen.queryByRole('dialog')).not.toBeInTheDocument());
    expect(live.runs[0]?.state).toBe('running');
  });

  it('says why it cannot be resumed', async () => {
    const world = aRun(three(), { state: 'failed', can: { rerun: true, cancel: false, resume: true, pause: false, approve: false } });
    const { user } = show(world);
    await user.click(await screen.findByRole('button', { name: 'Resume' }));
    const dialog = within(await screen.findByRole('dialog'));
    expect(await dialog.findByText('An attempt of this run is still running.')).toBeVisible();
    expect(dialog.getByRole('button', { name: 'Resume' })).toBeDisabled();
  });

  it('asks before it cancels', async () => {
    const { user, world } = show(aRun(three()));
    await user.click(await screen.findByRole('button', { name: 'Cancel run' }));
    const dialog = within(await screen.findByRole('dialog'));
    expect(world.runs[0]?.state).toBe('running');
    await user.click(dialog.getByRole('button', { name: 'Cancel run' }));
    await waitFor(() => expect(world.runs[0]?.state).toBe('cancelled'));
    expect(await screen.findByRole('button', { name: 'Resume' })).toBeVisible();
  });
});

describe('the panel of a task', () => {
  it('says that the run has no such task', async () => {
    show(aRun(three()), '?task=gone&view=list');
    expect(await screen.findByText('This run has no such task')).toBeVisible();
  });

  it('says what a task waits for', async () => {
    show(aRun(three()), '?task=approve&view=list');
    expect(await screen.findByText(/this run stops here and asks an approver of the team/)).toBeVisible();
  });

  it('shows inputs and outputs, values as they are and bytes by digest, size and link', async () => {
    const tasks = three();
    const [ingest] = tasks as [TaskRun];
    show(
      {
        ...aRun(tasks),
        details: {
          [ingest.id]: makeDetail(ingest, {
            inputs: [{ name: 'rate', type: 'number', value: 0.1, artifact: null }],
            outputs: [makeBytes('table', 'table', { artifact: 'abc', meta: { rows: 1797 } }), makeOutput('note', { value: 'fine' })],
          }),
        },
      },
      '?task=ingest&tab=data&view=list',
    );
    expect(await screen.findByText('229 KiB')).toBeVisible();
    expect(screen.getByText('1,797 rows')).toBeVisible();
    expect(screen.getByText('fine')).toBeVisible();
    expect(screen.getByRole('link', { name: 'Download' })).toHaveAttribute('href', '/api/v1/artifacts/abc/content/');
  });

  it('keeps the attempts apart', async () => {
    const attempts = [makeAttempt(1, { state: 'lost', reason: 'lease' }), makeAttempt(2, { state: 'running', finished_at: null })];
    const tasks = three({ train: { attempt: attempts[1] ?? null, lost: 1 } });
    const train = tasks[1]!;
    const { user, router } = show({ ...aRun(tasks), details: { [train.id]: makeDetail(train, { attempts }) } }, '?task=train&view=list');
    const group = within(await screen.findByRole('radiogroup', { name: 'Attempt' }));
    await user.click(group.getByRole('radio', { name: /1/ }));
    expect(router.state.location.search).toMatchObject({ attempt: 1 });
    expect(await screen.findByText('Its worker was lost.')).toBeVisible();
  });
});

describe('the log of an attempt that runs', () => {
  it('follows its end until one scrolls up, and again when asked', async () => {
    const attempt = makeAttempt(1, { state: 'running', finished_at: null, log_lines: 300 });
    const tasks = three({ train: { attempt } });
    const train = tasks[1]!;
    const { user } = show(
      {
        ...aRun(tasks),
        details: { [train.id]: makeDetail(train, { attempts: [attempt] }) },
        logs: { [attempt.id]: { lines: Array.from({ length: 300 }, (_, at) => `line ${at}`), complete: false } },
      },
      '?task=train&tab=log&view=list',
    );
    const log = await screen.findByRole('log');
    Object.defineProperty(log, 'scrollHeight', { value: 5400 });
    fireEvent.scroll(log, { target: { scrollTop: 4800 } });
    expect(screen.queryByRole('button', { name: /Follow/ })).not.toBeInTheDocument();
    fireEvent.scroll(log, { target: { scrollTop: 2000 } });
    await user.click(await screen.findByRole('button', { name: 'Paused. Follow' }));
    expect(screen.queryByRole('button', { name: /Follow/ })).not.toBeInTheDocument();
  });
});

describe('an approval', () => {
  const waiting = (change = {}) => three({ approve: { state: 'awaiting_approval', approval: makeApproval(change) } });

  it('is given with a comment', async () => {
    const { user, world } = show(aRun(waiting()), '?task=approve&view=list');
    await user.type(await screen.findByRole('textbox', { name: 'Comment' }), 'Good enough.');
    await user.click(screen.getByRole('button', { name: 'Approve' }));
    expect(await screen.findByText('Approved')).toBeVisible();
    expect(screen.getByText('Good enough.')).toBeVisible();
    expect(world.asked.some((line) => line.includes('/approve/'))).toBe(true);
  });

  it('is found from the head of the run, with its question first', async () => {
    const { user, router } = show(aRun(waiting()), '?task=ingest&tab=data&view=list');
    await user.click(await screen.findByRole('button', { name: '1 needs approval' }));
    expect(router.state.location.search).toEqual({ task: 'approve', view: 'list' });
    expect(await screen.findByRole('button', { name: 'Approve' })).toBeVisible();
  });

  it('is asked first, whatever tab was open before', async () => {
    const { user } = show(aRun(waiting()), '?task=ingest&tab=data&view=list');
    await user.click(await screen.findByRole('button', { name: 'approve' }));
    expect(await screen.findByRole('tab', { name: 'Overview', selected: true })).toBeVisible();
    expect(screen.getByRole('region', { name: 'Approval' })).toBeVisible();
  });

  it('is said in the list of runs', async () => {
    open('/runs', aRun(waiting()));
    expect(await screen.findByText('Needs approval')).toBeVisible();
    expect(document.querySelector('tbody [data-state="running"]')).toBeNull();
  });

  it('says to the requester whether they may decide', async () => {
    show(aRun(waiting()), '?task=approve&view=list');
    expect(await screen.findByText(/The task allows you to approve it all the same/)).toBeVisible();
  });

  it('is not offered to those who may not, and says why', async () => {
    const why = 'Who asked for a run does not approve it.';
    show(aRun(waiting({ may_decide: false, why_not: why }), { requested_by: budi }), '?task=approve&view=list');
    expect(await screen.findByText(why)).toBeVisible();
    expect(screen.queryByRole('button', { name: 'Approve' })).not.toBeInTheDocument();
  });

  it('says what the server refused', async () => {
    const { user } = show(
      { ...aRun(waiting()), refuse: { 'POST /api/v1/task-runs/': { status: 409, title: 'Somebody has decided already.' } } },
      '?task=approve&view=list',
    );
    await user.click(await screen.findByRole('button', { name: 'Reject' }));
    expect(await screen.findByText('Somebody has decided already.')).toBeVisible();
  });
});
