import { screen, waitFor, within } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import type { CodeLocation } from '../api/code';
import { makeCommit, makeLocation, makeMe, makePipeline, makeSnapshot } from '../testing/make';
import { open } from '../testing/render';
import { makeSecret } from '../testing/secrets';

const viewer = makeMe({ is_superuser: false, teams: [{ slug: 'demo', name: 'Demo', roles: ['viewer'] }] });
const admin = makeMe({ is_superuser: false, teams: [{ slug: 'demo', name: 'Demo', roles: ['admin'] }] });

function repository(change: Partial<CodeLocation> = {}): CodeLocation {
  const commit = makeCommit();
  return makeLocation({
    name: 'blocks',
    kind: 'git',
    address: 'ssh://git@code.example.org/blocks.git',
    state: 'in-step',
    commit,
    remote_commit: commit.sha,
    snapshot: makeSnapshot({ commit }),
    ...change,
  });
}

describe('the list of code locations', () => {
  it('shows that it loads, that there is none, and what went wrong', async () => {
    const first = open('/code', { hang: ['GET /api/v1/code-locations'] });
    expect(await screen.findByText('Loading the code locations')).toBeInTheDocument();
    first.unmount();
    const second = open('/code', { me: viewer });
    expect(await screen.findByText(/An admin of your team can add a Git repository/)).toBeVisible();
    expect(screen.queryByRole('button', { name: 'Add a location' })).not.toBeInTheDocument();
    second.unmount();
    open('/code', { refuse: { 'GET /api/v1/code-locations': { status: 500, title: 'Broken.' } } });
    expect(await screen.findByText('The code locations could not be loaded.')).toBeVisible();
  });

  it('says of each how it stands', async () => {
    open('/code', {
      locations: [
        repository({ name: 'a', state: 'behind' }),
        repository({ name: 'b', state: 'diverged' }),
        repository({ name: 'c', sync_error: 'code.example.org refused the credentials.' }),
        repository({ name: 'd', syncing: { words: 'fetching', per_cent: 40 } }),
      ],
    });
    for (const words of ['new commits available', 'history rewritten', 'sync failed', 'syncing']) {
      expect(await screen.findByText(words)).toBeVisible();
    }
  });
});

describe('adding a location', () => {
  it('takes the address of a repository with the name of a secret, and leads to its page', async () => {
    const { user, world, router } = open('/code', { me: admin, secrets: [makeSecret('deploy-key')] });
    await user.click(await screen.findByRole('button', { name: 'Add a location' }));
    const dialog = within(await screen.findByRole('dialog'));
    expect(dialog.queryByRole('radio', { name: 'Folder of the server' })).not.toBeInTheDocument();
    await user.type(dialog.getByRole('textbox', { name: 'Name' }), 'blocks');
    await user.type(dialog.getByRole('textbox', { name: 'Address' }), 'git@code.example.org:blocks.git');
    await user.type(dialog.getByRole('textbox', { name: 'Folder' }), 'pipelines/digits');
    expect(dialog.getByRole('textbox', { name: 'Known hosts' })).toBeVisible();
    await dialog.findByRole('option', { name: 'deploy-key' });
    await user.selectOptions(dialog.getByRole('combobox', { name: 'Secret with the credentials' }), 'deploy-key');
    await user.click(dialog.getByRole('button', { name: 'Add' }));
    await waitFor(() => expect(router.state.location.pathname).toBe(`/code/${world.locations[0]!.id}`));
    expect(world.locations[0]).toMatchObject({ kind: 'git', folder: 'pipelines/digits', secret: 'deploy-key' });
    expect(await screen.findByText('Syncing: waiting for the system worker')).toBeVisible();
  });

  it('puts a refusal where it belongs', async () => {
    const { user } = open('/code', { me: admin });
    await user.click(await screen.findByRole('button', { name: 'Add a location' }));
    const dialog = within(await screen.findByRole('dialog'));
    await user.type(dialog.getByRole('textbox', { name: 'Name' }), 'blocks');
    await user.type(dialog.getByRole('textbox', { name: 'Address' }), 'https://ana:pass@code.example.org/b.git');
    await user.click(dialog.getByRole('button', { name: 'Add' }));
    expect(await dialog.findByText('Leave user and password out of the address.')).toBeVisible();
    expect(dialog.getByRole('textbox', { name: 'Address' })).toBeInvalid();
  });

  it('lets site admins register a folder of the server', async () => {
    const { user, world } = open('/code');
    await user.click(await screen.findByRole('button', { name: 'Add a location' }));
    const dialog = within(await screen.findByRole('dialog'));
    await user.click(dialog.getByRole('radio', { name: 'Folder of the server' }));
    await user.type(dialog.getByRole('textbox', { name: 'Name' }), 'shared');
    await user.type(dialog.getByRole('textbox', { name: 'Folder' }), '/srv/code');
    await user.click(dialog.getByRole('button', { name: 'Add' }));
    await waitFor(() => expect(world.locations).toHaveLength(1));
    expect(world.locations[0]).toMatchObject({ kind: 'folder', address: '/srv/code' });
  });
});

describe('the page of a location', () => {
  it('shows the commit, the blocks, the snapshots and what was left out', async () => {
    const location = repository({ notes: ['No blocks are seen in broken (line 1: invalid syntax).'] });
    open(`/code/${location.id}`, { locations: [location] });
    expect(await screen.findByText('last synced')).toBeVisible();
    expect(screen.getAllByText(/Read rows twice as fast/)).toHaveLength(2);
    expect(screen.getByText(/No blocks are seen in broken/)).toBeVisible();
    expect(await screen.findByText('Takes')).toBeVisible();
  });

  it('says how to go on after a failure', async () => {
    const location = repository({ sync_error: 'The repository is empty: push a first commit, then sync again.', state: 'never', snapshot: null, commit: null });
    open(`/code/${location.id}`, { locations: [location] });
    expect(await screen.findByText(/push a first commit/)).toBeVisible();
    expect(screen.getByText('They are found by the first sync.')).toBeVisible();
  });

  it('syncs, and shows how far it is', async () => {
    const location = repository();
    const { user } = open(`/code/${location.id}`, { locations: [location] });
    await user.click(await screen.findByRole('button', { name: 'Sync' }));
    expect(await screen.findByText('Syncing: waiting for the system worker')).toBeVisible();
    location.syncing = { words: 'fetching, 3.0 MiB received', per_cent: 60 };
    await waitFor(() => expect(screen.getByRole('progressbar')).toHaveAttribute('aria-valuenow', '60'), { timeout: 4000 });
  });

  it('is archived after a question that says what follows', async () => {
    const location = repository();
    const { user, world, router } = open(`/code/${location.id}`, { locations: [location] });
    await user.click(await screen.findByRole('button', { name: 'Archive' }));
    const question = within(await screen.findByRole('dialog', { name: 'Archive blocks?' }));
    await user.click(question.getByRole('button', { name: 'Archive' }));
    await waitFor(() => expect(router.state.location.pathname).toBe('/code'));
    expect(world.locations).toEqual([]);
  });

  it('changes only what was changed', async () => {
    const location = repository();
    const { user, world } = open(`/code/${location.id}`, { locations: [location] });
    await user.click(await screen.findByRole('button', { name: 'Change' }));
    const dialog = within(await screen.findByRole('dialog'));
    await user.type(dialog.getByRole('textbox', { name: 'Branch, tag or commit' }), 'release');
    await user.click(dialog.getByRole('button', { name: 'Save' }));
    await waitFor(() => expect(world.locations[0]?.ref).toBe('release'));
  });

  it('names the credentials again for another address', async () => {
    const location = repository({ secret: 'deploy-key' });
    const { user, world } = open(`/code/${location.id}`, { locations: [location] });
    await user.click(await screen.findByRole('button', { name: 'Change' }));
    const dialog = within(await screen.findByRole('dialog'));
    const address = dialog.getByRole('textbox', { name: 'Address' });
    await user.clear(address);
    await user.type(address, 'https://elsewhere.example.org/b.git');
    await user.click(dialog.getByRole('button', { name: 'Save' }));
    await waitFor(() => expect(world.locations[0]?.address).toBe('https://elsewhere.example.org/b.git'));
    expect(world.locations[0]?.secret).toBe('deploy-key');
  });

  it('offers viewers nothing to do, and says when there is no such location', async () => {
    const location = repository({ can: { sync: false, manage: false } });
    const first = open(`/code/${location.id}`, { me: viewer, locations: [location] });
    expect(await screen.findByRole('heading', { name: 'blocks' })).toBeVisible();
    for (const name of ['Sync', 'Change', 'Archive']) expect(screen.queryByRole('button', { name })).not.toBeInTheDocument();
    first.unmount();
    open('/code/none');
    expect(await screen.findByText('There is no such code location.')).toBeVisible();
  });
});

describe('new code of a pipeline', () => {
  const pipeline = makePipeline();
  const name = `${pipeline.team}:${pipeline.name}`;
  const standing = {
    location: 'blocks',
    location_id: '11111111-1111-4111-8111-111111111111',
    state: 'in-step' as const,
    follow: 'published' as const,
    version: 3,
    used: makeSnapshot({ commit: makeCommit({ subject: 'Old', sha: 'a'.repeat(40) }) }),
    latest: makeSnapshot({ commit: makeCommit({ subject: 'Newer rows' }) }),
    new_code: true,
    used_environment: null,
    latest_environment: null,
  };
  const broken = {
    id: '22222222-2222-4222-8222-222222222222',
    state: 'failed' as const,
    progress: '',
    problem: 'Because nothing-here was not found in the package registry',
    problem_code: 'build-failed' as const,
    preload_problems: {},
  };

  it('says before it is published that its environment has failed', async () => {
    const { user } = open(`/pipelines/${name}`, { pipelines: [pipeline], codes: { [name]: { ...standing, latest_environment: broken } } });
    await user.click(await screen.findByRole('button', { name: 'Publish with new snapshot' }));
    const dialog = within(await screen.findByRole('dialog'));
    expect(dialog.getByText(/could not be built, so no task of it can run: Because nothing-here/)).toBeVisible();
  });

  it('says before a run that the environment has failed', async () => {
    const codes = { [name]: { ...standing, used_environment: broken } };
    const { user } = open(`/pipelines/${name}`, { pipelines: [pipeline], codes });
    await user.click(await screen.findByRole('button', { name: 'Run' }));
    const dialog = within(await screen.findByRole('dialog'));
    expect(await dialog.findByText(/no task of it can run/)).toBeVisible();
    expect(dialog.getByRole('button', { name: 'Run' })).toBeEnabled();
  });

  it('is red in the list of code where its environment has failed', async () => {
    open('/code', { locations: [repository({ environment: broken })] });
    expect(await screen.findByText('environment failed')).toHaveAttribute('data-look', 'failed');
  });

  it('is told on its page, with one action', async () => {
    const { user, world } = open(`/pipelines/${name}`, { pipelines: [pipeline], codes: { [name]: standing } });
    expect(await screen.findByText(/New code available/)).toBeVisible();
    await user.click(screen.getByRole('button', { name: 'Publish with new snapshot' }));
    const dialog = within(await screen.findByRole('dialog', { name: 'Publish with new snapshot' }));
    expect(dialog.getByRole('textbox', { name: 'Message' })).toHaveValue('New code: Newer rows');
    await user.click(dialog.getByRole('button', { name: 'Publish' }));
    await waitFor(() => expect(world.asked.some((line) => line.startsWith(`POST /api/v1/pipelines/${name}/versions/`))).toBe(true));
  });

  it('that does not fit is refused with each problem', async () => {
    const refuse = {
      [`POST /api/v1/pipelines/${name}/versions/`]: {
        status: 422,
        title: 'Version 3, with the new code, has 1 problem.',
        errors: [{ field: 'tasks.load.run', message: "The code location 'blocks' has no block 'steps:load'." }],
      },
    };
    const { user } = open(`/pipelines/${name}`, { pipelines: [pipeline], codes: { [name]: standing }, refuse });
    await user.click(await screen.findByRole('button', { name: 'Publish with new snapshot' }));
    await user.click(within(await screen.findByRole('dialog')).getByRole('button', { name: 'Publish' }));
    expect(await screen.findByText(/has no block 'steps:load'/)).toBeVisible();
  });
});
