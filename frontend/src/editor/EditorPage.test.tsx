import { configure, screen, waitFor, within } from '@testing-library/react';
import { describe, expect, it, vi } from 'vitest';
import { DIGITS, DIGITS_1, DIGITS_2 } from '../testing/documents';
import { budi, makeGraph, makeLocation, makeMe, makePipeline, makeVersion } from '../testing/make';
import { open } from '../testing/render';
import { makeWorld, type World } from '../testing/server';
import { copiesOf, keepCopy } from './safety';

const ADDRESS = '/pipelines/demo:digits-training/edit';
const SHELF = 'ana/demo:digits-training';
const graph = makeGraph(['ingest', 'ingest>train']);

function drawn(change: Partial<World> = {}): Partial<World> {
  return {
    pipelines: [makePipeline()],
    locations: [makeLocation()],
    versions: {
      'demo:digits-training': [
        makeVersion(graph, { text: DIGITS }),
        makeVersion(graph, { number: 2, active: false, message: 'Second', text: DIGITS_2 }),
        makeVersion(graph, { number: 1, active: false, message: '', text: DIGITS_1 }),
      ],
    },
    ...change,
  };
}

/** The page with its editor open. */
async function begin(change: Partial<World> = {}, address = ADDRESS) {
  const page = open(address, drawn(change));
  await screen.findByRole('heading', { level: 1, name: 'digits-training' });
  return page;
}

const draftOf = (world: World) => world.drafts['demo:digits-training'];
const saves = (world: World) => world.asked.filter((line) => line.startsWith('PUT'));

/** As if somebody else had saved this. */
function savedByBudi(world: World, document: string): void {
  const draft = draftOf(world);
  if (draft) Object.assign(draft, { document, revision: draft.revision + 1, saved_by: budi });
}

/** One change by the search of the palette: a shell task. */
async function addTask(user: ReturnType<typeof open>['user']): Promise<void> {
  await user.type(await screen.findByLabelText('Search blocks and kinds'), 'shell');
  await screen.findByRole('option', { name: /Shell/ });
  await user.keyboard('{Enter}');
  expect(await screen.findByRole('button', { name: 'Undo' })).toHaveAttribute('aria-disabled', 'false');
}

// The whole page, with canvas and panels, on a busy machine.
vi.setConfig({ testTimeout: 30_000 });
configure({ asyncUtilTimeout: 10_000 });

describe('the editor', () => {
  it('says what is open, how it stands and what can be done', async () => {
    await begin();
    expect(document.title).toBe('Edit Handwritten digits · Orchestrator');
    expect(screen.getByText('Draft r1')).toBeVisible();
    expect(screen.getByText('Saved')).toBeVisible();
    for (const name of ['Undo', 'Redo', 'Tidy', 'Fit', 'History', 'Publish', 'Run']) {
      expect(screen.getByRole('button', { name })).toBeVisible();
    }
    expect(await screen.findByRole('button', { name: 'Problems, 0' })).toBeVisible();
  });

  it('saves a change, says so, and undoes it by keyboard', async () => {
    const { user, world } = await begin();
    await addTask(user);
    expect(await screen.findByText('Saving…')).toBeVisible();
    await waitFor(() => expect(draftOf(world)?.revision).toBe(2));
    expect(await screen.findByText('Draft r2')).toBeVisible();
    expect(draftOf(world)?.document).toContain('# Two graphics cards fit this twice.');
    (document.activeElement as HTMLElement).blur();
    await user.keyboard('{Control>}z{/Control}');
    await waitFor(() => expect(draftOf(world)?.document).toBe(DIGITS));
    expect(document.querySelector('[data-announcer]')).toHaveTextContent(/^Undone: Add/);
  });

  it('begins with the view and the task of its address, and keeps the address true', async () => {
    const { router, user } = await begin({}, `${ADDRESS}?task=train&view=yaml`);
    expect(screen.getByRole('radio', { name: 'YAML' })).toBeChecked();
    expect(screen.getByRole('complementary', { name: 'Task' })).toBeVisible();
    await user.click(screen.getByRole('radio', { name: 'Canvas' }));
    await waitFor(() => expect(router.state.location.search).toEqual({ task: 'train' }));
  });

  it('has a panel for several tasks that are selected, too', async () => {
    const { user } = await begin();
    (await screen.findByLabelText('Pipeline canvas')).focus();
    await user.keyboard('{Control>}a{/Control}');
    const panel = await screen.findByRole('complementary', { name: 'Selection' });
    expect(await within(panel).findByRole('heading', { name: /\d+ tasks/ })).toBeVisible();
  });

  it('is for reading only without the right to edit, and says why', async () => {
    const { user } = await begin({ pipelines: [makePipeline({ can: { run: false, edit: false, pause: false } })] });
    expect(screen.getByText(/you need the role editor in the team demo/)).toBeVisible();
    expect(screen.queryByRole('button', { name: 'Publish' })).not.toBeInTheDocument();
    expect(screen.queryByRole('button', { name: 'Run' })).not.toBeInTheDocument();
    expect(screen.queryByText('Saved')).not.toBeInTheDocument();
    await user.keyboard('{Control>}z{/Control}');
    expect(screen.getByRole('button', { name: 'Undo' })).toHaveAttribute('aria-disabled', 'true');
  });

  it('is for reading only in a narrow window', async () => {
    vi.stubGlobal('matchMedia', (media: string) => Object.assign(new EventTarget(), { media, matches: media.includes('767') }));
    await begin();
    expect(screen.getByText(/too narrow to draw in/)).toBeVisible();
  });

  it('says that a pipeline does not exist', async () => {
    open('/pipelines/demo:nothing/edit', drawn());
    expect(await screen.findByText(/There is no pipeline demo:nothing/)).toBeVisible();
  });

  it('says why a draft cannot be loaded, and tries again', async () => {
    const { world, user } = open(ADDRESS, drawn({ refuse: { 'GET /api/v1/pipelines/demo:digits-training/draft/': { status: 503, title: 'The database is starting.' } } }));
    expect(await screen.findByText('The database is starting.')).toBeVisible();
    world.refuse = {};
    await user.click(screen.getByRole('button', { name: 'Try again' }));
    expect(await screen.findByText('Draft r1')).toBeVisible();
  });
});

describe('leaving the editor', () => {
  it('saves first', async () => {
    const { user, world, router } = await begin();
    await addTask(user);
    await user.click(screen.getByRole('link', { name: 'digits-training' }));
    await waitFor(() => expect(router.state.location.pathname).toBe('/pipelines/demo:digits-training'));
    expect(saves(world)).toHaveLength(1);
  });

  it('asks when that cannot be done', async () => {
    const { user, world, router } = await begin();
    world.refuse = { PUT: { status: 503, title: 'The database is starting.' } };
    await addTask(user);
    await user.click(screen.getByRole('link', { name: 'digits-training' }));
    const dialog = await screen.findByRole('dialog', { name: 'Your last changes are not saved' });
    await user.click(within(dialog).getByRole('button', { name: 'Stay' }));
    expect(router.state.location.pathname).toBe(ADDRESS);
    expect(screen.getByText('Offline, 1 change')).toBeVisible();
    await user.click(screen.getByRole('link', { name: 'digits-training' }));
    await user.click(within(await screen.findByRole('dialog')).getByRole('button', { name: 'Leave all the same' }));
    await waitFor(() => expect(router.state.location.pathname).toBe('/pipelines/demo:digits-training'));
  });
});

describe('what this browser kept', () => {
  const copy = { id: 'left', text: DIGITS.replace('30m', '45m'), layout: { tasks: {}, notes: {} }, base: { text: DIGITS, layout: { tasks: {}, notes: {} } }, etag: '"1"', at: Date.now() };

  it('is offered, and restored as a change that can be undone', async () => {
    keepCopy(SHELF, copy);
    const { user, world } = await begin();
    expect(screen.getByText(/You have unsaved changes from/)).toBeVisible();
    await user.click(screen.getByRole('button', { name: 'Restore' }));
    await waitFor(() => expect(draftOf(world)?.document).toContain('timeout: 45m'));
    expect(screen.queryByText(/You have unsaved changes/)).not.toBeInTheDocument();
    expect(screen.getByRole('button', { name: 'Undo' })).toHaveAttribute('aria-disabled', 'false');
  });

  it('is forgotten when a person discards it', async () => {
    keepCopy(SHELF, copy);
    const { user, world } = await begin();
    await user.click(screen.getByRole('button', { name: 'Discard' }));
    expect(copiesOf(SHELF)).toEqual([]);
    expect(saves(world)).toEqual([]);
  });
});

it('is for reading only once the pipeline has been archived, and keeps what was drawn', async () => {
  const { user, world } = await begin();
  world.refuse = { PUT: { status: 404, title: 'There is no pipeline demo:digits-training.' } };
  await addTask(user);
  expect(await screen.findByText(/This pipeline was archived while you drew/, {}, { timeout: 5000 })).toBeVisible();
  expect(screen.getByText(/Not saved: There is no pipeline demo:digits-training\. This browser keeps a copy/)).toBeVisible();
  expect(screen.queryByRole('button', { name: 'Publish' })).not.toBeInTheDocument();
  expect(copiesOf(SHELF)).toMatchObject([{ text: expect.stringContaining('kind: shell') as string }]);
});

describe('two people', () => {
  it('keep both changes when they are of different places, and the other one is named', async () => {
    const { user, world } = await begin();
    savedByBudi(world, DIGITS.replace('default: 180', 'default: 90'));
    await addTask(user);
    expect(await screen.findByText(/Budi Santoso saved meanwhile: 1 change came in\./, {})).toBeVisible();
    expect(screen.getByText('parameters.epochs.default')).toBeVisible();
    await waitFor(() => expect(draftOf(world)?.document).toContain('kind: shell'));
    expect(draftOf(world)?.document).toContain('default: 90');
  });

  it('choose where both changed the same, and the refused value can be restored', async () => {
    const text = (minutes: number) => DIGITS.replace('30m', `${minutes}m`);
    keepCopy(SHELF, { id: 'left', text: text(45), layout: { tasks: {}, notes: {} }, base: { text: DIGITS, layout: { tasks: {}, notes: {} } }, etag: '"1"', at: Date.now() });
    const { user, world } = await begin();
    savedByBudi(world, text(60));
    await user.click(screen.getByRole('button', { name: 'Restore' }));
    const dialog = await screen.findByRole('dialog', { name: 'Budi Santoso changed the same' });
    expect(screen.getByText('Conflict')).toBeInTheDocument();
    await user.click(within(dialog).getByRole('radio', { name: /Budi Santoso’s 60m/ }));
    await user.click(within(dialog).getByRole('button', { name: 'Keep these' }));
    await waitFor(() => expect(screen.getByText('Saved')).toBeVisible());
    expect(draftOf(world)?.document).toContain('timeout: 60m');
    await user.click(screen.getByRole('button', { name: 'Restore mine' }));
    await waitFor(() => expect(draftOf(world)?.document).toContain('timeout: 45m'));
  });
});

describe('publishing', () => {
  it('waits for the save, tells what changes and shows the version it became', async () => {
    const { user, world } = await begin();
    await addTask(user);
    await user.click(screen.getByRole('button', { name: 'Publish' }));
    const dialog = await screen.findByRole('dialog');
    expect(await within(dialog).findByText('1 change since version 3')).toBeVisible();
    await user.type(within(dialog).getByLabelText('Message'), 'One more');
    await user.click(within(dialog).getByRole('button', { name: 'Publish' }));
    expect(await screen.findByRole('dialog', { name: 'Version 4 published' })).toBeVisible();
    expect(world.versions['demo:digits-training']?.[0]).toMatchObject({ number: 4, message: 'One more', active: true });
    expect(world.versions['demo:digits-training']?.[0]?.text).toContain('kind: shell');
    await user.click(screen.getByRole('button', { name: 'Run' }));
    expect(await screen.findByText('Version 4 of digits-training')).toBeVisible();
  });

  it('says plainly that nothing has changed', async () => {
    const { user, world } = await begin();
    await user.click(screen.getByRole('button', { name: 'Publish' }));
    expect(await screen.findByText('Nothing that runs differs from version 3, the active one.')).toBeVisible();
    await user.click(within(screen.getByRole('dialog')).getByRole('button', { name: 'Publish' }));
    expect(await screen.findByRole('dialog', { name: 'Nothing to publish' })).toBeVisible();
    expect(world.versions['demo:digits-training']).toHaveLength(3);
  });

  it('shows what the server found against it', async () => {
    const { user, world } = await begin();
    const errors = [
      { field: 'tasks.train.with', message: 'table is missing' },
      { field: 'tasks.deploy.when', message: 'types differ' },
    ];
    world.refuse = { 'POST /api/v1/pipelines/demo:digits-training/versions/': { status: 422, title: 'The draft has 2 problems.', errors } };
    await user.click(screen.getByRole('button', { name: 'Publish' }));
    await user.click(within(await screen.findByRole('dialog')).getByRole('button', { name: 'Publish' }));
    expect(await screen.findByText('tasks.deploy.when: types differ')).toBeVisible();
  });

  it('is not possible while something is wrong, which is listed with its way there', async () => {
    const { user } = await begin({ drafts: { 'demo:digits-training': { document: `${DIGITS}  x: [`, layout: {}, revision: 4, saved_by: null, saved_at: null } } });
    await user.click(await screen.findByRole('button', { name: 'Publish' }));
    const dialog = await screen.findByRole('dialog');
    expect(within(dialog).getByText('1 problem must be solved first.')).toBeVisible();
    expect(within(dialog).getByRole('button', { name: 'Publish' })).toBeDisabled();
    await user.click(within(dialog).getByRole('button', { name: 'Show' }));
    expect(screen.queryByRole('dialog')).not.toBeInTheDocument();
  });
});

describe('running', () => {
  it('asks for the parameters when the draft is what the active version is', async () => {
    const { user } = await begin();
    await user.click(screen.getByRole('button', { name: 'Run' }));
    expect(await screen.findByText('Version 3 of digits-training')).toBeVisible();
    expect(screen.getByRole('textbox', { name: /learning_rate/ })).toHaveValue('0.1');
  });

  it('tells when the draft differs, and offers to publish first', async () => {
    const { user } = await begin();
    await addTask(user);
    await user.click(screen.getByRole('button', { name: 'Run' }));
    expect(await screen.findByText(/The draft differs from version 3/)).toBeVisible();
    await user.click(screen.getByRole('button', { name: 'Publish and run' }));
    await user.click(within(await screen.findByRole('dialog', { name: /^Publish/ })).getByRole('button', { name: 'Publish' }));
    await user.click(await screen.findByRole('button', { name: 'Run' }));
    expect(await screen.findByText('Version 4 of digits-training')).toBeVisible();
  });
});

describe('the history beside the canvas', () => {
  it('restores a version as a new one, and Undo brings the draft back', async () => {
    const { user, world } = await begin({}, `${ADDRESS}?panel=history`);
    await user.click(await screen.findByRole('button', { name: 'Restore version 2' }));
    await user.click(within(screen.getByRole('dialog')).getByRole('button', { name: 'Restore as a new version' }));
    expect(await screen.findByText(/published, equal to version 2/)).toBeVisible();
    expect(world.versions['demo:digits-training']?.[0]).toMatchObject({ number: 4, text: DIGITS_2, message: 'Restores version 2' });
    await user.click(screen.getByRole('button', { name: 'Done' }));
    await user.click(screen.getByRole('button', { name: 'Undo' }));
    // There is nothing more to undo, and the next key still finds the button.
    expect(screen.getByRole('button', { name: 'Undo' })).toHaveAttribute('aria-disabled', 'true');
    expect(screen.getByRole('button', { name: 'Undo' })).toHaveFocus();
    await waitFor(() => expect(draftOf(world)?.document).toBe(DIGITS));
  });

  it('takes a version into the draft only', async () => {
    const { user, world } = await begin({}, `${ADDRESS}?panel=history`);
    await user.click(await screen.findByRole('button', { name: 'Restore version 1' }));
    await user.click(within(screen.getByRole('dialog')).getByRole('button', { name: 'Only into the draft' }));
    await waitFor(() => expect(draftOf(world)?.document).toBe(DIGITS_1));
    expect(world.versions['demo:digits-training']).toHaveLength(3);
  });
});

it('is read by somebody who is of no team that may edit', async () => {
  const world = makeWorld({ me: makeMe({ is_superuser: false, teams: [{ slug: 'demo', name: 'Demo', roles: ['viewer'] }] }) });
  open('/pipelines', { me: world.me, pipelines: [makePipeline({ can: { run: false, edit: false, pause: false } })] });
  expect(await screen.findByText('Handwritten digits')).toBeVisible();
  expect(screen.queryByRole('button', { name: 'New pipeline' })).not.toBeInTheDocument();
});
