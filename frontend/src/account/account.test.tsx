import { screen, waitFor, within } from '@testing-library/react';
import { describe, expect, it, vi } from 'vitest';
import { makeAccount, makeSession } from '../testing/account';
import { makeMe } from '../testing/make';
import { open } from '../testing/render';
import { deviceOf } from './words';

const CORP = { id: 'corp', name: 'Corp' };
const LINKED = { id: 3, provider: 'corp', name: 'Corp', email: 'ana@corp.example', known: true };

describe('the account page', () => {
  it('is reached by the menu and shows who one is', async () => {
    const { user } = open('/runs');
    await user.click(await screen.findByRole('button', { name: 'Ana Lim' }));
    await user.click(screen.getByRole('menuitem', { name: 'Your account' }));
    const you = within(await screen.findByRole('region', { name: 'You' }));
    for (const words of ['Ana Lim', 'ana', 'ana@example.com', 'Demo (admin, approver)']) expect(you.getByText(words)).toBeVisible();
  });

  it('tells who has no team whom to ask', async () => {
    open('/account', { me: makeMe({ teams: [], is_superuser: false }) });
    expect(await screen.findByText(/ask an admin of the team/)).toBeVisible();
  });

  it('shows that it loads and what went wrong', async () => {
    const first = open('/account', { hang: ['GET /_allauth/browser/v1/a'] });
    expect(await screen.findByText('Loading how you sign in')).toBeInTheDocument();
    expect(screen.getByText('Loading your sessions')).toBeInTheDocument();
    first.unmount();
    open('/account', { refuse: { 'GET /_allauth/browser/v1/a': { status: 500, title: 'Broken.' } } });
    expect(await screen.findByText('How you sign in could not be loaded.')).toBeVisible();
    expect(await screen.findByText('Your sessions could not be loaded.')).toBeVisible();
  });
});

describe('a new password', () => {
  it('takes the old one, twice the new one, and says what is wrong', async () => {
    const { user, world } = open('/account');
    await user.type(await screen.findByLabelText('Current password'), 'wrong');
    await user.type(screen.getByLabelText('New password'), 'a long new one');
    await user.type(screen.getByLabelText('The same again'), 'another');
    expect(screen.getByText('The two differ.')).toBeVisible();
    expect(screen.getByRole('button', { name: 'Change the password' })).toBeDisabled();
    await user.clear(screen.getByLabelText('The same again'));
    await user.type(screen.getByLabelText('The same again'), 'a long new one{Enter}');
    expect(await screen.findByText('This is not your password.')).toBeVisible();
    await user.clear(screen.getByLabelText('Current password'));
    await user.type(screen.getByLabelText('Current password'), 'secret{Enter}');
    expect(await screen.findByText(/signed out everywhere else/)).toBeVisible();
    expect(world.password).toBe('a long new one');
  });

  it('is not offered to who has none', async () => {
    open('/account', { account: makeAccount({ ways: { password: false, code: false, identities: [LINKED], providers: [CORP] } }) });
    expect(await screen.findByRole('region', { name: 'Providers' })).toBeVisible();
    expect(screen.queryByLabelText('Current password')).not.toBeInTheDocument();
  });
});

describe('the second factor', () => {
  it('is set up with a picture, a code, and recovery codes that are shown once', async () => {
    const { user } = open('/account');
    await user.click(await screen.findByRole('button', { name: 'Set up an authenticator app' }));
    expect(await screen.findByRole('img', { name: 'QR code of the key' })).toBeVisible();
    expect(screen.getByText('JBSWY3DPEHPK3PXP')).toBeVisible();
    await user.type(screen.getByLabelText('Code of the app'), '000000{Enter}');
    expect(await screen.findByText(/This code is wrong/)).toBeVisible();
    await user.clear(screen.getByLabelText('Code of the app'));
    await user.type(screen.getByLabelText('Code of the app'), '123456{Enter}');
    const codes = within(await screen.findByRole('list', { name: 'Recovery codes' }));
    expect(codes.getByText('11112222')).toBeVisible();
    await user.click(screen.getByRole('button', { name: 'I have kept them' }));
    expect(screen.queryByText('11112222')).not.toBeInTheDocument();
    expect(await screen.findByText(/2 of 2 are left/)).toBeVisible();
    await user.click(screen.getByRole('button', { name: 'New recovery codes' }));
    expect(await screen.findByText('55556666')).toBeVisible();
    await user.click(screen.getByRole('button', { name: 'Turn off the second factor' }));
    expect(await screen.findByRole('button', { name: 'Set up an authenticator app' })).toBeVisible();
  });

  it('asks first who is there', async () => {
    const { user } = open('/account', { account: makeAccount({ asks: true }) });
    await user.click(await screen.findByRole('button', { name: 'Set up an authenticator app' }));
    const dialog = within(await screen.findByRole('dialog', { name: 'Is it you?' }));
    await user.type(await dialog.findByLabelText('Your password'), 'secret{Enter}');
    expect(await screen.findByRole('img', { name: 'QR code of the key' })).toBeVisible();
  });
});

describe('sessions', () => {
  it('are listed, and others are ended', async () => {
    const sessions = [makeSession({ is_current: true }), makeSession({ id: 2, ip: '198.51.100.1' }), makeSession({ id: 3, ip: '198.51.100.2' })];
    const { user, world } = open('/account', { account: makeAccount({ sessions }) });
    expect(await screen.findByText('this one')).toBeVisible();
    await user.click(screen.getByRole('button', { name: 'End the session of Firefox on Linux, 198.51.100.1' }));
    await waitFor(() => expect(screen.queryByText('198.51.100.1')).not.toBeInTheDocument());
    expect(world.account.sessions.map((each) => each.id)).toEqual([1, 3]);
    expect(screen.queryByRole('button', { name: 'End all others' })).not.toBeInTheDocument();
  });

  it.each([
    ['Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537 Chrome/140.0 Safari/537.36 Edg/140.0', 'Edge on Windows'],
    ['Mozilla/5.0 (iPhone; CPU iPhone OS 26_0 like Mac OS X) Version/26.0 Safari/605', 'Safari on an iPhone'],
    ['curl/8.0', 'curl/8.0'],
    ['', 'Unknown'],
  ])('are named by their browser: %s', (agent, words) => expect(deviceOf(agent)).toBe(words));
});

describe('providers', () => {
  it('are linked and unlinked', async () => {
    vi.spyOn(console, 'error').mockImplementation(() => undefined); // jsdom goes nowhere
    const other = { id: 'partner', name: 'Partner' };
    const ways = { password: true, code: false, identities: [LINKED], providers: [CORP, other] };
    const { user, world } = open('/account', { account: makeAccount({ ways }) });
    const section = within(await screen.findByRole('region', { name: 'Providers' }));
    expect(section.getByText(/ana@corp.example/)).toBeVisible();
    await user.click(section.getByRole('button', { name: 'Link Partner' }));
    await waitFor(() => expect(world.asked).toContain('POST /_allauth/browser/v1/auth/provider'));
    await user.click(section.getByRole('button', { name: 'Unlink Corp' }));
    expect(await section.findByRole('button', { name: 'Link Corp' })).toBeVisible();
  });

  it('say why a link was refused', async () => {
    open('/account?error=connected_other');
    expect(await screen.findByRole('alert')).toHaveTextContent(/Somebody else here is linked/);
  });
});
