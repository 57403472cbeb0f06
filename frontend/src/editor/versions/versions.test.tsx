import { configure, screen, waitFor, within } from '@testing-library/react';
import { describe, expect, it, vi } from 'vitest';
import { DIGITS, DIGITS_1, DIGITS_2 } from '../../testing/documents';
import { makeGraph, makeMe, makePipeline, makeVersion } from '../../testing/make';
import { open } from '../../testing/render';
import type { World } from '../../testing/server';
import { copiesOf } from '../safety';

vi.setConfig({ testTimeout: 30_000 });
configure({ asyncUtilTimeout: 10_000 });

const graph = makeGraph(['ingest', 'ingest>train']);

function published(change: Partial<World> = {}): Partial<World> {
  return {
    pipelines: [makePipeline()],
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

const drafted = (document: string) => ({ 'demo:digits-training': { document, layout: {}, revision: 7, saved_by: null, saved_at: null } });

describe('the history of a pipeline', () => {
  const rowOf = async (words: string) => {
    await screen.findByRole('link', { name: words });
    return screen.getAllByRole('listitem').find((row) => within(row).queryByRole('link', { name: words })) ?? document.body;
  };

  it('lists versions with who, why and which is active', async () => {
    open('/pipelines/demo:digits-training/versions', published());
    expect(within(await rowOf('Version 3')).getByText('active')).toBeVisible();
    const second = await rowOf('Version 2');
    expect(within(second).getByText('Second')).toBeVisible();
    expect(within(second).getByRole('link', { name: 'Changes since 1' })).toHaveAttribute(
      'href',
      '/pipelines/demo:digits-training/versions/diff?from=1&to=2',
    );
  });

  it('restores a version as a new one that is equal to it', async () => {
    const { user, world } = open('/pipelines/demo:digits-training/versions', published());
    await user.click(within(await rowOf('Version 1')).getByRole('button', { name: 'Restore version 1' }));
    await user.click(screen.getByRole('button', { name: 'Restore as a new version' }));
    expect(await screen.findByText(/published, equal to version 1/)).toBeVisible();
    expect(world.versions['demo:digits-training']?.[0]).toMatchObject({ number: 4, text: DIGITS_1, active: true, message: 'Restores version 1' });
    expect(copiesOf('ana/demo:digits-training')).toEqual([]);
  });

  it('keeps what only the draft had, for the editor to offer', async () => {
    const mine = DIGITS.replace('30m', '45m');
    const { user } = open('/pipelines/demo:digits-training/versions', published({ drafts: drafted(mine) }));
    await user.click(within(await rowOf('Version 1')).getByRole('button', { name: 'Restore version 1' }));
    await user.click(screen.getByRole('button', { name: 'Restore as a new version' }));
    await screen.findByText(/published, equal to version 1/);
    expect(copiesOf('ana/demo:digits-training')).toMatchObject([{ text: mine, etag: '"8"' }]);
  });

  it('says why it could not restore', async () => {
    const refuse = { PUT: { status: 412, title: 'Somebody saved in between.' } };
    const { user } = open('/pipelines/demo:digits-training/versions', published({ refuse }));
    await user.click(within(await rowOf('Version 1')).getByRole('button', { name: 'Restore version 1' }));
    await user.click(screen.getByRole('button', { name: 'Restore as a new version' }));
    expect(await screen.findByText('Somebody saved in between.')).toBeVisible();
  });

  it('offers nothing to restore to who may only look', async () => {
    open('/pipelines/demo:digits-training/versions', published({ pipelines: [makePipeline({ can: { run: false, edit: false, pause: false } })] }));
    expect(within(await rowOf('Version 2')).queryByRole('button')).not.toBeInTheDocument();
  });

  it('says that nothing is published, and that a pipeline does not exist', async () => {
    const { unmount } = open('/pipelines/demo:digits-training/versions', { pipelines: [makePipeline({ active_version: null })] });
    expect(await screen.findByText('Nothing is published yet.')).toBeVisible();
    unmount();
    open('/pipelines/demo:nothing/versions', {});
    expect(await screen.findByText(/There is no pipeline demo:nothing/)).toBeVisible();
  });
});

describe('two versions compared', () => {
  const address = '/pipelines/demo:digits-training/versions/diff';

  it('are shown as a graph with marks and as a list, at an address of their own', async () => {
    const { user, router } = open(`${address}?from=1&to=3`, published());
    const list = await screen.findByRole('region', { name: '8 changes' });
    expect(within(list).getByText('draw')).toBeVisible();
    expect(within(list).getByText('epochs.default')).toBeVisible();
    await waitFor(() => expect(document.querySelector('[id="card-draw"] [data-change="removed"]')).toBeInTheDocument());
    expect(document.querySelector('[id="card-approve"] [data-change="added"]')).toBeInTheDocument();
    expect(document.querySelector('[id="card-train"] [data-change="changed"]')).toBeInTheDocument();
    expect(document.querySelector('[id="card-ingest"] [data-change]')).not.toBeInTheDocument();
    const linksSaying = (words: string) => [...document.querySelectorAll('.react-flow__edge')].filter((link) => link.textContent === words);
    expect(linksSaying('− removed').map(({ classList }) => classList.contains('removed'))).toEqual([true]);
    expect(linksSaying('+ added').map(({ classList }) => classList.contains('added'))).toEqual([true, true]);
    await user.click(screen.getByRole('radio', { name: 'YAML' }));
    expect(await screen.findByRole('region', { name: 'Changed lines' })).toHaveTextContent('default: 180');
    await user.selectOptions(screen.getByRole('combobox', { name: 'From' }), 'Version 2');
    expect(await screen.findByRole('heading', { level: 1, name: 'From version 2 to version 3' })).toBeVisible();
    expect(router.state.location.search).toEqual({ from: 2, to: 3, view: 'text' });
  });

  it('may be a version and the draft', async () => {
    open(`${address}?from=3&to=draft`, published({ drafts: drafted(DIGITS.replace('30m', '45m')) }));
    const list = await screen.findByRole('region', { name: '1 change' });
    expect(within(list).getByText('defaults.timeout')).toBeVisible();
  });

  it('say plainly that nothing that runs differs', async () => {
    open(`${address}?from=3&to=draft`, published({ drafts: drafted(`${DIGITS}# a note\n`) }));
    expect(await screen.findByText(/Only comments, order or spelling differ/)).toBeVisible();
  });

  it('are compared by lines when one cannot be read', async () => {
    open(`${address}?from=3&to=draft`, published({ drafts: drafted(`${DIGITS}  x: [\n`) }));
    expect(await screen.findByText(/only its lines are compared/)).toBeVisible();
    expect(screen.getByRole('region', { name: 'Changed lines' })).toHaveTextContent('x: [');
  });

  it('say that there is no such version', async () => {
    open(`${address}?from=1&to=9`, published());
    expect(await screen.findByText(/or no such version/)).toBeVisible();
  });
});

describe('a new pipeline', () => {
  const teams = [
    { slug: 'demo', name: 'Demo', roles: ['editor'] },
    { slug: 'growth', name: 'Growth', roles: ['editor'] },
    { slug: 'other', name: 'Other', roles: ['viewer'] },
  ];

  async function begin(change: Partial<World> = {}) {
    const page = open('/pipelines', { me: makeMe({ is_superuser: false, teams }), pipelines: [makePipeline()], ...change });
    await page.user.click(await screen.findByRole('button', { name: 'New pipeline' }));
    return page;
  }

  it('begins as an empty draft of the team that is chosen, in the editor', async () => {
    const { user, world, router } = await begin();
    await user.type(screen.getByLabelText('Name'), 'churn-weekly');
    expect(screen.getAllByRole('option').map((option) => option.textContent)).toEqual(expect.not.arrayContaining(['Other']));
    await user.selectOptions(screen.getByLabelText('Team'), 'Growth');
    await user.type(screen.getByLabelText('Title'), 'Churn: "weekly"');
    await user.click(screen.getByRole('button', { name: 'Create' }));
    await waitFor(() => expect(router.state.location.pathname).toBe('/pipelines/growth:churn-weekly/edit'));
    expect(world.drafts['growth:churn-weekly']?.document).toBe(
      'schema: orchestrator/v1\nname: churn-weekly\ntitle: "Churn: \\"weekly\\""\ntasks: {}\n',
    );
  });

  it('says at the field what is wrong with a name, and sends nothing', async () => {
    const { user, world } = await begin();
    await user.click(screen.getByRole('button', { name: 'Create' }));
    expect(screen.getByText(/A name is needed/)).toBeVisible();
    await user.type(screen.getByLabelText('Name'), 'Churn Weekly');
    await user.click(screen.getByRole('button', { name: 'Create' }));
    expect(screen.getByText('Small letters, digits and hyphens only.')).toBeVisible();
    expect(screen.getByLabelText('Name')).toHaveFocus();
    expect(world.asked.filter((line) => line.startsWith('POST'))).toEqual([]);
  });

  it('says at the field that a name is taken', async () => {
    const { user } = await begin();
    await user.type(screen.getByLabelText('Name'), 'digits-training');
    await user.click(screen.getByRole('button', { name: 'Create' }));
    expect(await screen.findByText(/has, or had, a pipeline 'digits-training'/)).toBeVisible();
    expect(screen.getByLabelText('Name')).toBeInvalid();
  });
});
