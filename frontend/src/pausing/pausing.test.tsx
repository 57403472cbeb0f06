import { fireEvent, screen, waitFor, within } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import { budi, makePipeline, makeRun } from '../testing/make';
import { open } from '../testing/render';

const PAUSED = { paused_at: '2026-03-01T08:00:00Z', paused_by: budi, paused_until: null, paused_reason: 'Data is late.' };
const MAY = { rerun: true, cancel: true, resume: false, pause: true, approve: true };

function showRun(change: Parameters<typeof makeRun>[0] = {}, refuse = {}) {
  const run = makeRun({ state: 'running', finished_at: null, can: MAY, ...change });
  return open(`/runs/${run.id}?view=list`, { runs: [run], tasks: { [run.id]: [] }, refuse });
}

function showPipeline(change: Parameters<typeof makePipeline>[0] = {}) {
  return open('/pipelines/demo:digits-training', { pipelines: [makePipeline(change)] });
}

async function openDialog({ user }: ReturnType<typeof open>, button = 'Pause') {
  await user.click(await screen.findByRole('button', { name: button }));
  return within(await screen.findByRole('dialog'));
}

describe('a run', () => {
  it('is paused with a reason, and goes on by the button beside it', async () => {
    const opened = showRun();
    const dialog = await openDialog(opened);
    expect(dialog.getByRole('button', { name: 'Pause' })).toBeDisabled();
    await opened.user.type(dialog.getByRole('textbox', { name: 'Reason' }), 'Data is late.');
    await opened.user.click(dialog.getByRole('button', { name: 'Pause' }));
    expect(await screen.findByText(/because: Data is late\./)).toHaveTextContent(/^Paused by Ana Lim/);
    expect(screen.queryByRole('dialog')).not.toBeInTheDocument();
    expect(screen.queryByRole('button', { name: 'Pause' })).not.toBeInTheDocument();
    await opened.user.click(screen.getByRole('button', { name: 'Let it go on' }));
    expect(await screen.findByRole('button', { name: 'Pause' })).toBeVisible();
    expect(screen.queryByText(/because/)).not.toBeInTheDocument();
  });

  it('says until when, and both can be changed', async () => {
    const opened = showRun({ ...PAUSED, paused_until: '2999-03-01T08:00:00Z' });
    expect(await screen.findByText(/until/)).toHaveTextContent('2999');
    const dialog = await openDialog(opened, 'Change');
    expect(dialog.getByRole('textbox', { name: 'Reason' })).toHaveValue('Data is late.');
    fireEvent.change(dialog.getByLabelText('Until'), { target: { value: '2998-05-01T10:00' } });
    await opened.user.click(dialog.getByRole('button', { name: 'Change' }));
    await waitFor(() => expect(screen.getByText(/until/)).toHaveTextContent('2998'));
  });

  it('is paused no more when the end has come', async () => {
    showRun({ ...PAUSED, paused_until: '2026-03-01T09:00:00Z' });
    expect(await screen.findByRole('button', { name: 'Pause' })).toBeVisible();
    expect(screen.queryByText(/Paused by/)).not.toBeInTheDocument();
  });

  it('shows who may not lift it by whom and why, and no button', async () => {
    showRun({ ...PAUSED, can: { ...MAY, pause: false } });
    expect(await screen.findByText(/Paused by/)).toHaveTextContent('Budi Santoso');
    expect(screen.queryByRole('button', { name: /Pause|Let it go on|Change/ })).not.toBeInTheDocument();
  });

  it('that has ended does not say that it was paused', async () => {
    showRun({ ...PAUSED, state: 'failed', can: { ...MAY, pause: false } });
    await screen.findByRole('heading', { name: /run 12/ });
    expect(screen.queryByText(/Paused by/)).not.toBeInTheDocument();
  });

  it('says that its pipeline is paused, and lets that go on', async () => {
    const run = makeRun({ state: 'running', can: MAY });
    const { user, world } = open(`/runs/${run.id}?view=list`, { runs: [run], tasks: { [run.id]: [] }, pipelines: [makePipeline(PAUSED)] });
    const notice = await screen.findByText(/because: Data is late\./);
    expect(notice).toHaveTextContent(/^The pipeline digits-training is paused by Budi Santoso/);
    await user.click(screen.getByRole('button', { name: 'Let it go on' }));
    await waitFor(() => expect(screen.queryByText(/because/)).not.toBeInTheDocument());
    expect(world.pipelines[0]?.paused_at).toBeNull();
  });

  it('and its pipeline are paused apart, each with buttons of its own', async () => {
    const run = makeRun({ state: 'running', ...PAUSED, can: MAY });
    const { user, world } = open(`/runs/${run.id}?view=list`, { runs: [run], tasks: { [run.id]: [] }, pipelines: [makePipeline(PAUSED)] });
    const ofPipeline = within(await screen.findByRole('group', { name: /^Pause of .*digits-training$/ }));
    await user.click(ofPipeline.getByRole('button', { name: 'Let it go on' }));
    await waitFor(() => expect(world.pipelines[0]?.paused_at).toBeNull());
    expect(world.runs[0]?.paused_at).not.toBeNull();
  });

  it('says at the field what the server does not take', async () => {
    const errors = [{ field: 'until', message: 'In the past.' }];
    const refused = { status: 422, title: 'No.', detail: 'The end of the pause has passed.', errors };
    const opened = showRun({}, { 'POST /api/v1/runs/': refused });
    const dialog = await openDialog(opened);
    await opened.user.type(dialog.getByRole('textbox', { name: 'Reason' }), 'x');
    await opened.user.click(dialog.getByRole('button', { name: 'Pause' }));
    expect(await dialog.findByText('In the past.')).toBeVisible();
    expect(dialog.getByLabelText('Until')).toHaveAccessibleDescription(/In the past/);
  });
});

describe('a pipeline', () => {
  it('is paused and goes on; meanwhile it is not run', async () => {
    const opened = showPipeline();
    const dialog = await openDialog(opened);
    expect(dialog.getByText(/programs start none/)).toBeVisible();
    await opened.user.type(dialog.getByRole('textbox', { name: 'Reason' }), 'Data is late.');
    await opened.user.click(dialog.getByRole('button', { name: 'Pause' }));
    expect(await screen.findByText(/because: Data is late\./)).toBeVisible();
    expect(screen.getByRole('button', { name: 'Run' })).toBeDisabled();
    await opened.user.click(screen.getByRole('button', { name: 'Let it go on' }));
    await waitFor(() => expect(screen.getByRole('button', { name: 'Run' })).toBeEnabled());
  });

  it('has no button for who may not pause it', async () => {
    showPipeline({ can: { run: true, edit: true, pause: false } });
    await screen.findByRole('button', { name: 'Run' });
    expect(screen.queryByRole('button', { name: 'Pause' })).not.toBeInTheDocument();
  });
});
