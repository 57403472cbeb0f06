import { screen, waitFor, within } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import { makeMe } from '../testing/make';
import { open } from '../testing/render';
import { makeSecret } from '../testing/secrets';

const viewer = makeMe({ is_superuser: false, teams: [{ slug: 'demo', name: 'Demo', roles: ['viewer'] }] });
const admin = makeMe({ is_superuser: false, teams: [{ slug: 'demo', name: 'Demo', roles: ['admin'] }] });
const PLACE = '/settings/secrets';

describe('the list of secrets', () => {
  it('shows that it loads, that there is none, and what went wrong', async () => {
    const first = open(PLACE, { hang: ['GET /api/v1/secrets'] });
    expect(await screen.findByText('Loading the secrets')).toBeInTheDocument();
    first.unmount();
    const second = open(PLACE, { me: viewer });
    expect(await screen.findByText(/An admin of your team can add some/)).toBeVisible();
    second.unmount();
    open(PLACE, { refuse: { 'GET /api/v1/secrets': { status: 500, title: 'Broken.' } } });
    expect(await screen.findByText('The secrets could not be loaded.')).toBeVisible();
  });

  it('shows name, description, version, who changed it and the team', async () => {
    open(PLACE, { secrets: [makeSecret('shop-token', { version: 3 })] });
    const row = within((await screen.findAllByRole('row'))[1]!);
    for (const words of ['shop-token', 'Of the shop; ask Budi for a new one.', '3', 'demo', 'Ana Lim']) {
      expect(row.getByText(words)).toBeVisible();
    }
  });

  it('offers viewers names and nothing to do', async () => {
    const { user } = open(PLACE, { me: viewer, secrets: [makeSecret('shop-token')] });
    await user.click(await screen.findByRole('button', { name: 'shop-token' }));
    const dialog = within(await screen.findByRole('dialog', { name: 'shop-token' }));
    expect(dialog.getByText('${{ secrets.shop-token }}')).toBeVisible();
    expect(dialog.queryByRole('textbox')).not.toBeInTheDocument();
    expect(dialog.queryByRole('button', { name: 'Archive' })).not.toBeInTheDocument();
    expect(screen.queryByRole('button', { name: 'Add a secret' })).not.toBeInTheDocument();
  });
});

describe('adding a secret', () => {
  it('takes a value of several lines, keeps it from the browser, and never shows it again', async () => {
    const { user, world } = open(PLACE, { me: admin });
    await user.click(await screen.findByRole('button', { name: 'Add a secret' }));
    const dialog = within(await screen.findByRole('dialog'));
    await user.type(dialog.getByRole('textbox', { name: 'Name' }), 'shop-token');
    expect(dialog.getByText('${{ secrets.shop-token }}')).toBeVisible();
    const value = dialog.getByRole('textbox', { name: 'Value' });
    expect(value).toHaveAttribute('autocomplete', 'off');
    await user.type(value, 'first{Enter} second ');
    await user.click(dialog.getByRole('button', { name: 'Add' }));
    await waitFor(() => expect(screen.queryByRole('dialog')).not.toBeInTheDocument());
    expect(world.values).toEqual({ 'shop-token': 'first\n second ' });
    await user.click(await screen.findByRole('button', { name: 'shop-token' }));
    expect(await screen.findByRole('textbox', { name: 'New value' })).toHaveValue('');
    expect(document.body.innerHTML).not.toContain('second');
  });

  it('says what is wrong with a name before it is sent', async () => {
    const { user, world } = open(PLACE, { me: admin });
    await user.click(await screen.findByRole('button', { name: 'Add a secret' }));
    const dialog = within(await screen.findByRole('dialog'));
    await user.type(dialog.getByRole('textbox', { name: 'Name' }), 'Shop Token{Enter}');
    expect(dialog.getByText(/it begins with a letter or a digit/)).toBeVisible();
    expect(dialog.getByRole('button', { name: 'Add' })).toBeDisabled();
    expect(world.asked.some((line) => line.startsWith('POST'))).toBe(false);
  });

  it('puts a refusal where it belongs', async () => {
    const { user } = open(PLACE, { me: admin, secrets: [makeSecret('taken')] });
    await user.click(await screen.findByRole('button', { name: 'Add a secret' }));
    const dialog = within(await screen.findByRole('dialog'));
    await user.type(dialog.getByRole('textbox', { name: 'Name' }), 'fresh');
    await user.type(dialog.getByRole('textbox', { name: 'Value' }), 'abc');
    await user.click(dialog.getByRole('button', { name: 'Add' }));
    expect(await dialog.findByText('At least 4 characters.')).toBeVisible();
    expect(dialog.getByRole('textbox', { name: 'Value' })).toBeInvalid();
    await user.clear(dialog.getByRole('textbox', { name: 'Name' }));
    await user.type(dialog.getByRole('textbox', { name: 'Name' }), 'taken');
    await user.click(dialog.getByRole('button', { name: 'Add' }));
    expect(await dialog.findByText(/give that one a new value/)).toBeVisible();
  });

  it('lets site admins, and only them, refer to what the workers have', async () => {
    const first = open(PLACE, { me: admin });
    await first.user.click(await screen.findByRole('button', { name: 'Add a secret' }));
    expect(screen.queryByRole('combobox', { name: 'Where its value is' })).not.toBeInTheDocument();
    first.unmount();
    const { user, world } = open(PLACE);
    await user.click(await screen.findByRole('button', { name: 'Add a secret' }));
    await user.selectOptions(await screen.findByRole('combobox', { name: 'Where its value is' }), 'environment');
    expect(screen.queryByRole('textbox', { name: 'Value' })).not.toBeInTheDocument();
    await user.type(screen.getByRole('textbox', { name: 'Name' }), 'warehouse');
    await user.type(screen.getByRole('textbox', { name: 'A variable of the workers' }), 'TASK_SECRET_WAREHOUSE');
    await user.click(screen.getByRole('button', { name: 'Add' }));
    await waitFor(() => expect(world.secrets).toHaveLength(1));
    expect(world.secrets[0]).toMatchObject({ source: 'environment', address: 'TASK_SECRET_WAREHOUSE' });
  });
});

describe('one secret', () => {
  const used = makeSecret('shop-token', { used_by: [{ name: 'small', title: 'A small one', draft: true, active: true }, { name: 'new', title: '', draft: true, active: false }] });

  async function openSecret(change = {}) {
    const opened = open(PLACE, { me: admin, secrets: [{ ...used }], ...change });
    await opened.user.click(await screen.findByRole('button', { name: 'shop-token' }));
    return { ...opened, dialog: within(await screen.findByRole('dialog')) };
  }

  it('names the pipelines that use it', async () => {
    const { dialog } = await openSecret();
    expect(await dialog.findByRole('link', { name: 'A small one' })).toHaveAttribute('href', '/pipelines/demo:small');
    expect(dialog.getByText('draft only')).toBeVisible();
  });

  it('takes a new value as the next version, and a description without one', async () => {
    const { dialog, user, world } = await openSecret();
    expect(dialog.getByRole('button', { name: 'Save' })).toBeDisabled();
    await user.type(dialog.getByRole('textbox', { name: 'New value' }), 'second-value');
    await user.click(dialog.getByRole('button', { name: 'Save' }));
    await waitFor(() => expect(world.secrets[0]?.version).toBe(2));
    expect(world.values).toEqual({ 'shop-token': 'second-value' });
    await user.click(await screen.findByRole('button', { name: 'shop-token' }));
    await user.type(await screen.findByRole('textbox', { name: 'Description' }), '!');
    await user.click(screen.getByRole('button', { name: 'Save' }));
    await waitFor(() => expect(world.secrets[0]?.description).toMatch(/!$/));
    expect(world.secrets[0]?.version).toBe(2);
  });

  it('is archived after a second question that says what follows', async () => {
    const { dialog, user, world } = await openSecret();
    await dialog.findByRole('link', { name: 'A small one' });
    await user.click(dialog.getByRole('button', { name: 'Archive' }));
    const question = within(await screen.findByRole('dialog', { name: 'Archive shop-token?' }));
    expect(question.getByText('1 pipeline names it in the active version.')).toBeVisible();
    await user.click(question.getByRole('button', { name: 'Archive' }));
    expect(await screen.findByText('No secrets yet')).toBeVisible();
    expect(world.secrets).toEqual([]);
  });
});
