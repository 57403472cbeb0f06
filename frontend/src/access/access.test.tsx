import { screen, waitFor, within } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import { makeGrant, makeServiceAccount, makeToken } from '../testing/access';
import { makeMe, makePipeline } from '../testing/make';
import { MEMBERS } from '../testing/people';
import { open } from '../testing/render';
import { makeSecret } from '../testing/secrets';

const viewer = makeMe({ is_superuser: false, teams: [{ slug: 'demo', name: 'Demo', roles: ['viewer'] }] });
const admin = makeMe({ is_superuser: false, teams: [{ slug: 'demo', name: 'Demo', roles: ['admin'] }] });
const members = () => MEMBERS.map((each) => ({ ...each, roles: [...each.roles] }));

describe('the members of a team', () => {
  const PLACE = '/settings/members';

  it('shows that they load and what went wrong, each list for itself', async () => {
    const first = open(PLACE, { hang: ['GET /api/v1/members'] });
    expect(await screen.findByText('Loading the members')).toBeInTheDocument();
    first.unmount();
    open(PLACE, { members: members(), refuse: { 'GET /api/v1/service-accounts': { status: 500, title: 'Broken.' } } });
    expect(await screen.findByText('The service accounts could not be loaded.')).toBeVisible();
    expect(await screen.findByText('Budi Santoso')).toBeVisible();
  });

  it('says so to whoever is in no team', async () => {
    open(PLACE, { me: makeMe({ is_superuser: false, teams: [] }) });
    expect(await screen.findByText('You are in no team')).toBeVisible();
  });

  it('begins with the team that was chosen last', async () => {
    const both = makeMe({
      is_superuser: false,
      teams: [
        { slug: 'alpha', name: 'Alpha', roles: ['viewer'] },
        { slug: 'demo', name: 'Demo', roles: ['viewer'] },
      ],
    });
    const first = open(PLACE, { me: both, members: members() });
    expect(await screen.findByRole('combobox', { name: 'Team' })).toHaveValue('alpha');
    await first.user.selectOptions(screen.getByRole('combobox', { name: 'Team' }), 'Demo');
    first.unmount();
    open(PLACE, { me: both, members: members() });
    expect(await screen.findByRole('combobox', { name: 'Team' })).toHaveValue('demo');
  });

  it('shows a viewer who is there and offers nothing', async () => {
    open(PLACE, { me: viewer, members: members(), serviceAccounts: [makeServiceAccount('nightly')] });
    expect(await screen.findByText('Budi Santoso')).toBeVisible();
    expect(await screen.findByRole('link', { name: 'nightly' })).toBeVisible();
    expect(screen.queryByRole('button', { name: /Add/ })).not.toBeInTheDocument();
    expect(screen.queryByRole('button', { name: 'Budi Santoso' })).not.toBeInTheDocument();
  });

  it('says, where roles are given, that an editor has code executed', async () => {
    const { user, world } = open(PLACE, { me: admin, members: members() });
    await user.click(await screen.findByRole('button', { name: 'Budi Santoso' }));
    const dialog = within(await screen.findByRole('dialog', { name: 'Roles of Budi Santoso' }));
    expect(dialog.getByText(/has code executed on the queues of the team, with its secrets/)).toBeVisible();
    await user.click(dialog.getByRole('checkbox', { name: /^approver/ }));
    await user.click(dialog.getByRole('button', { name: 'Save' }));
    await waitFor(() => expect(world.members.find((each) => each.username === 'budi')?.roles).toEqual(['editor', 'approver']));
  });

  it('takes somebody out of the team once they have no role', async () => {
    const { user } = open(PLACE, { me: admin, members: members() });
    await user.click(await screen.findByRole('button', { name: 'Budi Santoso' }));
    await user.click(await screen.findByRole('checkbox', { name: /^editor/ }));
    await user.click(screen.getByRole('button', { name: 'Take out of the team' }));
    await waitFor(() => expect(screen.queryByRole('button', { name: 'Budi Santoso' })).not.toBeInTheDocument());
  });

  it('adds a member by their user name and says when there is none', async () => {
    const { user } = open(PLACE, { me: admin, members: members() });
    await user.click(await screen.findByRole('button', { name: 'Add a member' }));
    await user.type(await screen.findByRole('textbox', { name: 'User name' }), 'nobody{Enter}');
    expect(await screen.findByText('Nobody has this user name.')).toBeVisible();
    await user.clear(screen.getByRole('textbox', { name: 'User name' }));
    await user.type(screen.getByRole('textbox', { name: 'User name' }), 'dewi{Enter}');
    expect(await screen.findByRole('button', { name: 'Dewi' })).toBeVisible();
  });

  it('adds a service account, which can be no approver', async () => {
    const { user, world } = open(PLACE, { me: admin, members: members() });
    await user.click(await screen.findByRole('button', { name: 'Add a service account' }));
    await user.type(await screen.findByRole('textbox', { name: 'User name' }), 'nightly');
    expect(screen.queryByRole('checkbox', { name: /^approver/ })).not.toBeInTheDocument();
    await user.click(screen.getByRole('checkbox', { name: /^operator/ }));
    await user.click(screen.getByRole('button', { name: 'Add' }));
    expect(await screen.findByRole('link', { name: 'nightly' })).toBeVisible();
    expect(world.serviceAccounts[0]).toMatchObject({ team: 'demo', roles: ['viewer', 'operator'] });
  });

  it('lists what is lent both ways and takes back what is its own', async () => {
    const grants = [makeGrant('demo:shop-token'), makeGrant('risk:scores', { team: 'demo', kind: 'codelocation', can_end: false })];
    const { user } = open(PLACE, { me: admin, members: members(), grants });
    expect(await screen.findByText('risk:scores')).toBeVisible();
    await user.click(await screen.findByRole('button', { name: 'Take back demo:shop-token, lent to risk to use' }));
    const question = within(await screen.findByRole('dialog', { name: 'Take demo:shop-token back from risk?' }));
    expect(question.getByText(/their runs are refused/)).toBeVisible();
    await user.click(question.getByRole('button', { name: 'Take back' }));
    expect(await screen.findByText('Nothing is lent')).toBeVisible();
  });
});

describe('tokens', () => {
  it('are shown once, when they are made', async () => {
    const { user, world } = open('/settings/tokens', { me: admin });
    expect(await screen.findByText('No tokens yet')).toBeVisible();
    await user.click(screen.getByRole('button', { name: 'New token' }));
    await user.type(await screen.findByRole('textbox', { name: 'What it is for' }), 'upload');
    await user.click(screen.getByRole('checkbox', { name: /^run/ }));
    await user.click(screen.getByRole('button', { name: 'Make' }));
    expect(await screen.findByText('the-text-of-the-token')).toBeVisible();
    await user.click(screen.getByRole('button', { name: 'Done' }));
    expect(await screen.findByRole('row', { name: /upload.*read, run.*demo/ })).toBeVisible();
    expect(document.body.innerHTML).not.toContain('the-text-of-the-token');
    expect(world.tokens['']?.[0]).toMatchObject({ scopes: ['read', 'run'], team: 'demo' });
  });

  it('cannot be made without scope or for ever', async () => {
    const { user } = open('/settings/tokens', { me: admin });
    await user.click(await screen.findByRole('button', { name: 'New token' }));
    await user.type(await screen.findByRole('textbox', { name: 'What it is for' }), 'upload');
    await user.click(screen.getByRole('checkbox', { name: /^read/ }));
    expect(screen.getByRole('button', { name: 'Make' })).toBeDisabled();
    await user.click(screen.getByRole('checkbox', { name: /^read/ }));
    await user.type(screen.getByRole('textbox', { name: 'Ends after so many days' }), '00');
    expect(screen.getByText('A whole number from 1 to 366.')).toBeVisible();
    expect(screen.getByRole('button', { name: 'Make' })).toBeDisabled();
  });

  it('say when they end soon, have ended or were revoked', async () => {
    const tokens = { '': [makeToken('a', { state: 'ending' }), makeToken('b', { state: 'expired' }), makeToken('c', { state: 'revoked' })] };
    open('/settings/tokens', { me: admin, tokens });
    for (const words of [/soon:/, 'expired', 'revoked']) expect(await screen.findByText(words)).toBeVisible();
    expect(screen.getAllByRole('button', { name: /Revoke/ })).toHaveLength(1);
  });

  it('are revoked after a question', async () => {
    const { user } = open('/settings/tokens', { me: admin, tokens: { '': [makeToken('upload')] } });
    await user.click(await screen.findByRole('button', { name: 'Revoke upload' }));
    await user.click(within(await screen.findByRole('dialog')).getByRole('button', { name: 'Revoke' }));
    expect(await screen.findByText('revoked')).toBeVisible();
  });
});

describe('a service account', () => {
  const PLACE = '/settings/service-accounts/nightly';

  it('is given a token by an admin of its team', async () => {
    const { user } = open(PLACE, { me: admin, serviceAccounts: [makeServiceAccount('nightly')] });
    await user.click(await screen.findByRole('button', { name: 'New token' }));
    expect(screen.queryByRole('checkbox', { name: /^approve/ })).not.toBeInTheDocument();
    expect(screen.queryByRole('combobox', { name: 'Within the team' })).not.toBeInTheDocument();
    await user.type(await screen.findByRole('textbox', { name: 'What it is for' }), 'cron{Enter}');
    expect(await screen.findByText('the-text-of-the-token')).toBeVisible();
  });

  it('is disabled and enabled again, and says what follows', async () => {
    const { user } = open(PLACE, { me: admin, serviceAccounts: [makeServiceAccount('nightly')] });
    await user.click(await screen.findByRole('button', { name: 'Disable' }));
    const question = within(await screen.findByRole('dialog'));
    expect(question.getByText(/revoked for good/)).toBeVisible();
    await user.click(question.getByRole('button', { name: 'Disable' }));
    expect(await screen.findByText(/Disabled: it can do nothing/)).toBeVisible();
    expect(screen.queryByRole('button', { name: 'New token' })).not.toBeInTheDocument();
    await user.click(screen.getByRole('button', { name: 'Enable' }));
    await user.click(within(await screen.findByRole('dialog')).getByRole('button', { name: 'Enable' }));
    expect(await screen.findByRole('button', { name: 'New token' })).toBeVisible();
  });

  it('shows others what it is, without its tokens; an unknown one is not found', async () => {
    const first = open(PLACE, { me: viewer, serviceAccounts: [makeServiceAccount('nightly')] });
    expect(await screen.findByText('Uploads every night')).toBeVisible();
    expect(screen.queryByRole('region', { name: 'Tokens' })).not.toBeInTheDocument();
    first.unmount();
    open(PLACE, { me: viewer });
    expect(await screen.findByText('There is no service account nightly.')).toBeVisible();
  });
});

describe('sharing', () => {
  const pipeline = makePipeline({ name: 'small', title: 'A small one', active_version: null });

  it('lends a pipeline on its page and takes it back', async () => {
    const { user, world } = open('/pipelines/demo:small', { me: admin, pipelines: [pipeline] });
    const section = within(await screen.findByRole('region', { name: 'Sharing' }));
    expect(await section.findByText('Only the team demo has it.')).toBeVisible();
    await user.click(section.getByRole('button', { name: 'Share' }));
    const dialog = within(await screen.findByRole('dialog', { name: 'Share small' }));
    expect(dialog.getByText(/all its runs: with their parameters, their logs/)).toBeVisible();
    await user.type(dialog.getByRole('textbox', { name: 'With the team' }), 'nowhere');
    await user.click(dialog.getByRole('button', { name: 'Share' }));
    expect(await dialog.findByText('No team has this name.')).toBeVisible();
    await user.clear(dialog.getByRole('textbox', { name: 'With the team' }));
    await user.type(dialog.getByRole('textbox', { name: 'With the team' }), 'risk');
    await user.selectOptions(dialog.getByRole('combobox', { name: 'They may' }), 'run');
    expect(dialog.getByText(/start runs of it/)).toBeVisible();
    await user.click(dialog.getByRole('button', { name: 'Share' }));
    expect(await section.findByText('risk may run it')).toBeVisible();
    expect(world.grants[0]).toMatchObject({ kind: 'pipeline', object: pipeline.id, team: 'risk', verb: 'run' });
    await user.click(section.getByRole('button', { name: 'Take back from risk to run' }));
    await user.click(within(await screen.findByRole('dialog')).getByRole('button', { name: 'Take back' }));
    expect(await section.findByText('Only the team demo has it.')).toBeVisible();
  });

  it('says nothing of it to those to whom a pipeline is lent, and shows them no draft', async () => {
    const stranger = makeMe({ is_superuser: false, teams: [{ slug: 'risk', name: 'Risk', roles: ['editor'] }] });
    open('/pipelines/demo:small', { me: stranger, pipelines: [{ ...pipeline, can: { run: true, edit: false, pause: false } }] });
    expect(await screen.findByRole('heading', { name: 'A small one' })).toBeVisible();
    expect(screen.queryByRole('region', { name: 'Sharing' })).not.toBeInTheDocument();
    expect(screen.queryByRole('link', { name: /draft/ })).not.toBeInTheDocument();
  });

  it('names a lent secret as documents do', async () => {
    const stranger = makeMe({ is_superuser: false, teams: [{ slug: 'risk', name: 'Risk', roles: ['editor'] }] });
    const { user } = open('/settings/secrets', { me: stranger, secrets: [makeSecret('shop-token')] });
    await user.click(await screen.findByRole('button', { name: 'shop-token' }));
    expect(await screen.findByText('${{ secrets.demo:shop-token }}')).toBeVisible();
  });

  it('shares a secret from its dialog, with what that means', async () => {
    const { user, world } = open('/settings/secrets', { me: admin, secrets: [makeSecret('shop-token')] });
    await user.click(await screen.findByRole('button', { name: 'shop-token' }));
    await user.click(await screen.findByRole('button', { name: 'Share' }));
    const dialog = within(await screen.findByRole('dialog', { name: 'Share shop-token' }));
    expect(dialog.getByText(/Whoever edits their pipelines can read it/)).toBeVisible();
    await user.type(dialog.getByRole('textbox', { name: 'With the team' }), 'risk{Enter}');
    await waitFor(() => expect(world.grants).toHaveLength(1));
    expect(await screen.findByText('risk may use it')).toBeVisible();
  });
});
