import { screen, waitFor, within } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import { makeGraph, makePipeline, makeRun, makeVersion } from '../testing/make';
import { open } from '../testing/render';

const REFUSED = { status: 503, title: 'The database is starting.' };

describe('the list of pipelines', () => {
  it('shows that it is loading', async () => {
    open('/pipelines', { hang: ['GET /api/v1/pipelines'] });
    expect(await screen.findByText('Loading the pipelines')).toBeInTheDocument();
  });

  it('explains how to publish the first one when there is none', async () => {
    open('/pipelines');
    expect(await screen.findByRole('heading', { name: 'No pipelines yet' })).toBeVisible();
    expect(screen.getByText(/orchestrator apply/)).toBeVisible();
  });

  it('says what went wrong and tries again', async () => {
    const { world, user } = open('/pipelines', { refuse: { 'GET /api/v1/pipelines': REFUSED } });
    expect(await screen.findByText('The database is starting.')).toBeVisible();
    world.refuse = {};
    world.pipelines = [makePipeline()];
    await user.click(screen.getByRole('button', { name: 'Try again' }));
    expect(await screen.findByRole('link', { name: 'Handwritten digits' })).toBeVisible();
  });

  it('shows name, owner, version and what became of the last runs', async () => {
    const glyph = { number: 1, state: 'failed', created_at: '2026-03-02T08:00:00Z', started_at: null, finished_at: null };
    open('/pipelines', { pipelines: [makePipeline({ state: 'failed', last_runs: [{ id: 'x', ...glyph }] })] });
    const row = within((await screen.findAllByRole('row'))[1]!);
    expect(row.getByText('Ana Lim')).toBeVisible();
    expect(row.getByText('Failed')).toBeVisible();
    expect(row.getByRole('link', { name: 'Runs of digits-training, the last 1 run: 1 failed' })).toBeVisible();
  });

  it('marks a pipeline whose run waits for a person', async () => {
    const run = makeRun({ counts: { succeeded: 2, awaiting_approval: 1 } });
    open('/pipelines', { runs: [run], pipelines: [makePipeline({ state: 'running', last_runs: [run] })] });
    expect(await screen.findByText('Needs approval')).toBeVisible();
    expect(screen.getByRole('link', { name: 'Runs of digits-training, the last 1 run: 1 needs approval' })).toBeVisible();
  });

  it('says on the page of a pipeline how to start the first run', async () => {
    open('/pipelines/demo:digits-training', { pipelines: [makePipeline()] });
    expect(await screen.findByText('Nothing has run yet')).toBeVisible();
    expect(screen.getByText(/Press Run at the top/)).toBeVisible();
  });

  it('searches, keeps the search in the address, and says when nothing fits', async () => {
    const { user, router } = open('/pipelines', { pipelines: [makePipeline()] });
    await screen.findByRole('link', { name: 'Handwritten digits' });
    await user.type(screen.getByRole('searchbox', { name: 'Find a pipeline' }), 'zebra');
    expect(await screen.findByText('No pipeline fits the filter')).toBeVisible();
    expect(router.state.location.search).toMatchObject({ q: 'zebra' });
    await user.click(screen.getByRole('button', { name: 'Show all' }));
    expect(await screen.findByRole('link', { name: 'Handwritten digits' })).toBeVisible();
  });

  it('loads more, page by page', async () => {
    const pipelines = Array.from({ length: 5 }, (_, at) => makePipeline({ name: `p${at}`, title: `Pipeline ${at}` }));
    const { user } = open('/pipelines', { pipelines, pageSize: 3 });
    await screen.findByText('Pipeline 2');
    expect(screen.queryByText('Pipeline 4')).not.toBeInTheDocument();
    await user.click(screen.getByRole('button', { name: 'Load more' }));
    expect(await screen.findByText('Pipeline 4')).toBeVisible();
    expect(screen.queryByRole('button', { name: 'Load more' })).not.toBeInTheDocument();
  });

  it('does not let run what may not be run, and says why', async () => {
    open('/pipelines', { pipelines: [makePipeline({ can: { run: false, edit: false, pause: false } })] });
    const button = await screen.findByRole('button', { name: 'Run digits-training' });
    expect(button).toBeDisabled();
    expect(button).toHaveAttribute('title', expect.stringContaining('operator'));
  });
});

describe('the dialog that starts a run', () => {
  async function openDialog(refuse = {}) {
    const opened = open('/pipelines', { pipelines: [makePipeline()], refuse });
    await opened.user.click(await screen.findByRole('button', { name: 'Run digits-training' }));
    return { ...opened, dialog: within(await screen.findByRole('dialog')) };
  }

  it('begins with the defaults and sends what was typed, once', async () => {
    const { user, dialog, world, router } = await openDialog();
    const rate = dialog.getByRole('textbox', { name: /learning_rate/ });
    expect(rate).toHaveValue('0.1');
    await user.clear(rate);
    await user.type(rate, '0.25');
    await user.click(dialog.getByRole('button', { name: 'Run' }));
    await waitFor(() => expect(router.state.location.pathname).toMatch(/^\/runs\//));
    expect(world.runs).toHaveLength(1);
    expect(world.runs[0]?.parameters).toEqual({ learning_rate: 0.25, min_accuracy: 0.9 });
  });

  it('says what is wrong at the field, puts the focus there and sends nothing', async () => {
    const { user, dialog, world } = await openDialog();
    const accuracy = dialog.getByRole('textbox', { name: /min_accuracy/ });
    await user.clear(accuracy);
    await user.type(accuracy, '7');
    await user.click(dialog.getByRole('button', { name: 'Run' }));
    expect(await dialog.findByText('At most 1.')).toBeVisible();
    expect(accuracy).toHaveAccessibleDescription(expect.stringContaining('At most 1.'));
    expect(accuracy).toBeInvalid();
    expect(accuracy).toHaveFocus();
    expect(world.asked.filter((line) => line.startsWith('POST'))).toEqual([]);
  });

  it('puts what the server refuses at its field', async () => {
    const { user, dialog } = await openDialog({
      'POST /api/v1/pipelines/': {
        status: 400,
        title: 'The parameters do not fit.',
        errors: [{ field: 'parameters.learning_rate', message: 'must be at least 0.001' }],
      },
    });
    await user.click(dialog.getByRole('button', { name: 'Run' }));
    expect(await dialog.findByText('must be at least 0.001')).toBeVisible();
    expect(dialog.getByRole('textbox', { name: /learning_rate/ })).toBeInvalid();
  });

  it('says a refusal that belongs to no field', async () => {
    const { user, dialog } = await openDialog({ 'POST /api/v1/pipelines/': { status: 409, title: 'The pipeline is paused.' } });
    await user.click(dialog.getByRole('button', { name: 'Run' }));
    expect(await dialog.findByRole('alert')).toHaveTextContent('The pipeline is paused.');
  });
});

describe('the page of a pipeline', () => {
  const version = makeVersion(makeGraph(['ingest>train']));
  const world = { pipelines: [makePipeline()], versions: { 'demo:digits-training': [version] } };

  it('shows who, what and which version is active', async () => {
    open('/pipelines/demo:digits-training', world);
    expect(await screen.findByRole('heading', { level: 1, name: 'Handwritten digits' })).toBeVisible();
    expect(await screen.findByText('Check for empty labels')).toBeVisible();
    expect(screen.getByText('active')).toBeVisible();
    expect(document.title).toBe('Handwritten digits · Orchestrator');
  });

  it('shows the text of the version with line numbers', async () => {
    const { user } = open('/pipelines/demo:digits-training', world);
    await user.click(await screen.findByRole('radio', { name: 'YAML' }));
    expect(await screen.findByRole('region', { name: 'digits-training.yaml' })).toHaveTextContent('schema: orchestrator/v1');
  });

  it('says that a pipeline does not exist', async () => {
    open('/pipelines/demo:nothing');
    expect(await screen.findByText('There is no pipeline demo:nothing.')).toBeVisible();
  });

  it('says that nothing is published yet', async () => {
    open('/pipelines/demo:digits-training', { pipelines: [makePipeline({ active_version: null })] });
    expect(await screen.findByText('Nothing is published yet')).toBeVisible();
  });
});
