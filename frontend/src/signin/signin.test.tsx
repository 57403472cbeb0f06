import { screen, waitFor, within } from '@testing-library/react';
import type { UserEvent } from '@testing-library/user-event';
import { describe, expect, it, vi } from 'vitest';
import { makeAccount } from '../testing/account';
import { makePipeline } from '../testing/make';
import { open } from '../testing/render';
import { CONFIRMED } from './AgainForm';

const CORP = { id: 'corp', name: 'Corp' };
const APP = { type: 'totp' as const, created_at: 1_770_000_000, last_used_at: null };

async function signIn(user: UserEvent) {
  await user.type(await screen.findByLabelText('User name'), 'ana');
  await user.type(screen.getByLabelText('Password'), 'secret');
  await user.click(screen.getByRole('button', { name: 'Sign in' }));
}

describe('a second step', () => {
  it('asks for a code, says when it is wrong, and leads on', async () => {
    const { user, router } = open('/sign-in?next=/runs', { me: null, account: makeAccount({ authenticators: [APP] }) });
    await signIn(user);
    expect(await screen.findByRole('heading', { name: 'One more step' })).toBeVisible();
    const code = screen.getByLabelText('Code');
    expect(code).toHaveAttribute('autocomplete', 'one-time-code');
    await user.type(code, '000000{Enter}');
    expect(await screen.findByText(/This code is wrong/)).toBeVisible();
    await user.clear(code);
    await user.type(code, ' 123456 {Enter}');
    await waitFor(() => expect(router.state.location.pathname).toBe('/runs'));
  });

  it('is asked from who comes back from a provider', async () => {
    open('/sign-in?next=/runs', { me: null, account: makeAccount({ pending: 'ana' }) });
    expect(await screen.findByRole('heading', { name: 'One more step' })).toBeVisible();
  });

  it('can be left to sign in as somebody else', async () => {
    const { user } = open('/sign-in', { me: null, account: makeAccount({ pending: 'ana' }) });
    await user.click(await screen.findByRole('button', { name: 'Sign in as somebody else' }));
    expect(screen.getByLabelText('User name')).toBeVisible();
  });
});

describe('providers', () => {
  it('are offered beside the password, and gone to', async () => {
    const { user, world } = open('/sign-in?next=/runs', { me: null, account: makeAccount({ waysIn: { password: true, providers: [CORP] } }) });
    vi.spyOn(console, 'error').mockImplementation(() => undefined); // jsdom goes nowhere
    await user.click(await screen.findByRole('button', { name: 'Sign in with Corp' }));
    await waitFor(() => expect(world.asked).toContain('POST /_allauth/browser/v1/auth/provider'));
    expect(screen.getByLabelText('Password')).toBeVisible();
  });

  it('stand alone where passwords are off', async () => {
    open('/sign-in', { me: null, account: makeAccount({ waysIn: { password: false, providers: [CORP] } }) });
    expect(await screen.findByRole('button', { name: 'Sign in with Corp' })).toBeVisible();
    expect(screen.queryByLabelText('Password')).not.toBeInTheDocument();
    expect(screen.queryByRole('link', { name: /Forgotten/ })).not.toBeInTheDocument();
  });

  it('that are away are said to be', async () => {
    const { user } = open('/sign-in', {
      me: null,
      account: makeAccount({ waysIn: { password: true, providers: [CORP] } }),
      refuse: { 'POST /_allauth/browser/v1/auth/provider': { status: 503, title: 'Service Unavailable', detail: 'Corp does not answer.' } },
    });
    await user.click(await screen.findByRole('button', { name: 'Sign in with Corp' }));
    expect(await screen.findByRole('alert')).toHaveTextContent('Corp does not answer.');
  });

  it.each([
    ['email_taken', /link the provider on your account page/],
    ['account_inactive', /suspended: ask a site admin/],
    ['unknown', /could not be verified/],
    ['something-new', /could not be verified/],
  ])('say why they opened nothing: %s', async (code, words) => {
    open(`/sign-in?error=${code}`, { me: null });
    expect(await screen.findByRole('alert')).toHaveTextContent(words);
  });
});

describe('too many attempts', () => {
  it('say how long to wait', async () => {
    const title = 'Too many attempts: try again in 4 minutes.';
    const { user } = open('/sign-in', { me: null, refuse: { 'POST /_allauth/browser/v1/auth/login': { status: 400, title } } });
    await signIn(user);
    expect(await screen.findByRole('alert')).toHaveTextContent('try again in 4 minutes');
  });
});

describe('a forgotten password', () => {
  it('is asked for by e-mail, with the same answer for everybody', async () => {
    const { user, world } = open('/sign-in', { me: null });
    await user.click(await screen.findByRole('link', { name: 'Forgotten your password?' }));
    await user.type(await screen.findByLabelText('E-mail address'), 'ana@example.com{Enter}');
    expect(await screen.findByRole('status')).toHaveTextContent('If an account has the address ana@example.com');
    expect(world.asked).toContain('POST /_allauth/browser/v1/auth/password/request');
  });

  it('is set anew by the link', async () => {
    const { user } = open('/sign-in/reset/1-abc', { me: null });
    await user.type(await screen.findByLabelText('New password'), 'a long new one{Enter}');
    expect(await screen.findByRole('heading', { name: 'Your password is set' })).toBeVisible();
  });
});

describe('saying again who one is', () => {
  const asks = () => makeAccount({ asks: true });

  async function addSecret(user: UserEvent) {
    await user.click(await screen.findByRole('button', { name: 'Add a secret' }));
    await user.type(screen.getByRole('textbox', { name: 'Name' }), 'shop-token');
    await user.type(screen.getByRole('textbox', { name: 'Value' }), 'open-sesame');
    await user.click(screen.getByRole('button', { name: 'Add' }));
    return within(await screen.findByRole('dialog', { name: 'Is it you?' }));
  }

  it('asks once in a dialog and then sends what was to be sent', async () => {
    const { user, world } = open('/settings/secrets', { account: asks() });
    const dialog = await addSecret(user);
    await user.type(await dialog.findByLabelText('Your password'), 'wrong{Enter}');
    expect(await dialog.findByText('This is not your password.')).toBeVisible();
    await user.type(dialog.getByLabelText('Your password'), 'secret{Enter}');
    await waitFor(() => expect(world.values).toEqual({ 'shop-token': 'open-sesame' }));
    await waitFor(() => expect(screen.queryByRole('dialog')).not.toBeInTheDocument());
  });

  it('leaves everything as it was when one does not', async () => {
    const { user, world } = open('/settings/secrets', { account: asks() });
    const dialog = await addSecret(user);
    await user.click(dialog.getByRole('button', { name: 'Cancel' }));
    expect(await screen.findByText(/Confirm that it is you/)).toBeVisible();
    expect(screen.getByRole('textbox', { name: 'Value' })).toHaveValue('open-sesame');
    expect(world.values).toEqual({});
  });

  it('takes a code instead, and offers the provider', async () => {
    const identities = [{ id: 3, provider: 'corp', name: 'Corp', email: 'ana@corp.example', known: true }];
    const account = makeAccount({ asks: true, ways: { password: true, code: true, identities, providers: [CORP] } });
    const { user, world } = open('/settings/secrets', { account });
    const dialog = await addSecret(user);
    expect(await dialog.findByRole('button', { name: 'Confirm with Corp' })).toBeVisible();
    await user.click(dialog.getByRole('button', { name: 'Use a code instead' }));
    await user.type(dialog.getByLabelText('Code'), '123456{Enter}');
    await waitFor(() => expect(world.values).toEqual({ 'shop-token': 'open-sesame' }));
  });

  it('goes on when the tab of the provider says so', async () => {
    const { user, world } = open('/settings/secrets', { account: asks() });
    const dialog = await addSecret(user);
    await dialog.findByLabelText('Your password');
    world.account.asks = false;
    const tab = new BroadcastChannel(CONFIRMED);
    tab.postMessage('');
    await waitFor(() => expect(world.values).toEqual({ 'shop-token': 'open-sesame' }));
    tab.close();
  });

  it('is told by the page that the provider leads back to', async () => {
    const close = vi.spyOn(window, 'close').mockImplementation(() => undefined);
    const heard = vi.fn();
    const channel = new BroadcastChannel(CONFIRMED);
    channel.onmessage = heard;
    open('/sign-in/confirmed');
    expect(await screen.findByText(/go on in the other one/)).toBeVisible();
    await waitFor(() => expect(heard).toHaveBeenCalled());
    expect(close).toHaveBeenCalled();
    channel.close();
  });

  it('has a page for the console, which leads back or to the other tab', async () => {
    const { user } = open('/sign-in/again');
    await user.type(await screen.findByLabelText('Your password'), 'secret{Enter}');
    expect(await screen.findByText(/go on in the other one/)).toBeVisible();
  });

  it('says why the provider did not confirm', async () => {
    open('/sign-in/confirmed?error=somebody_else');
    expect(await screen.findByRole('alert')).toHaveTextContent(/as somebody else/);
  });
});

it('leads who is signed in on to where they wanted to go', async () => {
  const { router } = open('/sign-in?next=/pipelines', { pipelines: [makePipeline()] });
  await waitFor(() => expect(router.state.location.pathname).toBe('/pipelines'));
});
