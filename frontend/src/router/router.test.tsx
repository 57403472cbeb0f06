import { screen, waitFor } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import { makeDeployment, makeMe, makePipeline } from '../testing/make';
import { open } from '../testing/render';
import { isConsole, placeOf } from './place';

describe('sign-in', () => {
  it('is asked for first, and leads back to where one wanted to go', async () => {
    const { user, router } = open('/deployments', { me: null, deployments: [makeDeployment('digits-prod')] });
    await user.type(await screen.findByLabelText('User name'), 'ana');
    await user.type(screen.getByLabelText('Password'), 'secret');
    await user.click(screen.getByRole('button', { name: 'Sign in' }));
    expect(await screen.findByRole('link', { name: 'digits-prod' })).toBeVisible();
    expect(router.state.location.pathname).toBe('/deployments');
  });

  it('says honestly that the password is wrong, and asks for it again', async () => {
    const { user } = open('/sign-in', { me: null });
    await user.type(await screen.findByLabelText('User name'), 'ana');
    await user.type(screen.getByLabelText('Password'), 'wrong');
    await user.click(screen.getByRole('button', { name: 'Sign in' }));
    expect(await screen.findByText(/is wrong/)).toBeVisible();
    expect(screen.getByLabelText('Password')).toHaveFocus();
    expect(screen.getByLabelText('Password')).toHaveValue('');
  });

  it('says that there were too many attempts', async () => {
    const { user } = open('/sign-in', { me: null, refuse: { 'POST /_allauth/browser/v1/auth/login': { status: 429, title: '' } } });
    await user.type(await screen.findByLabelText('User name'), 'ana');
    await user.type(screen.getByLabelText('Password'), 'x');
    await user.click(screen.getByRole('button', { name: 'Sign in' }));
    expect(await screen.findByRole('alert')).toHaveTextContent(/Too many attempts/);
  });

  it.each([
    ['/runs/7?tab=log', '/runs/7?tab=log'],
    ['https://evil.example', '/'],
    ['//evil.example', '/'],
    ['/\\evil.example', '/'],
    ['/\t/evil.example', '/'],
    ['/\n\\evil.example', '/'],
    ['//', '/'],
    ['/sign-in', '/'],
    [undefined, '/'],
  ])('leads from %s to %s and never to another site', (next, place) => expect(placeOf(next)).toBe(place));
});

describe('the admin console', () => {
  it.each([
    ['/admin/', true],
    ['/admin', true],
    ['/admin/pipelines/user/?team=-', true],
    ['/administrators', false],
    ['/runs?next=/admin/', false],
  ])('is at %s: %s', (place, expected) => expect(isConsole(place)).toBe(expected));

  it('is offered to site admins alone', async () => {
    const { user } = open('/pipelines', { me: makeMe({ is_superuser: true }), pipelines: [makePipeline()] });
    await user.click(await screen.findByRole('button', { name: 'Ana Lim' }));
    expect(screen.getByRole('menuitem', { name: 'Admin console' })).toBeVisible();
  });

  it('is not offered to anybody else', async () => {
    const { user } = open('/pipelines', { me: makeMe({ is_superuser: false }), pipelines: [makePipeline()] });
    await user.click(await screen.findByRole('button', { name: 'Ana Lim' }));
    expect(screen.getByRole('menuitem', { name: 'Sign out' })).toBeVisible();
    expect(screen.queryByRole('menuitem', { name: 'Admin console' })).toBeNull();
  });
});

describe('the shell', () => {
  it('has landmarks, says where one is, and begins at the pipelines', async () => {
    const { router } = open('/', { pipelines: [makePipeline()] });
    expect(await screen.findByRole('heading', { level: 1, name: 'Pipelines' })).toBeVisible();
    expect(router.state.location.pathname).toBe('/pipelines');
    expect(screen.getByRole('navigation', { name: 'Main' })).toBeVisible();
    expect(screen.getByRole('main')).toBeVisible();
    expect(screen.getByRole('link', { name: 'Pipelines' })).toHaveAttribute('aria-current', 'page');
    expect(document.title).toBe('Pipelines · Orchestrator');
  });

  it('knows an address that does not exist', async () => {
    open('/nowhere');
    expect(await screen.findByText('There is no page at this address.')).toBeVisible();
    expect(screen.getByRole('navigation', { name: 'Main' })).toBeVisible();
  });

  it('goes on to the pipelines from sign-in when signed in', async () => {
    const { router } = open('/sign-in', { pipelines: [makePipeline()] });
    expect(await screen.findByRole('heading', { level: 1, name: 'Pipelines' })).toBeVisible();
    expect(router.state.location.pathname).toBe('/pipelines');
  });

  it('says that the server does not answer', async () => {
    open('/pipelines', { refuse: { 'GET /api/v1/me/': { status: 500, title: 'The server is broken.' } } });
    expect(await screen.findByText(/The server is broken/)).toBeVisible();
    expect(screen.getByRole('button', { name: 'Try again' })).toBeVisible();
  });

  it('keeps the theme that was chosen', async () => {
    const { user } = open('/pipelines');
    await user.click(await screen.findByRole('button', { name: 'Theme' }));
    await user.click(await screen.findByRole('menuitemradio', { name: 'Dark' }));
    expect(document.documentElement).toHaveAttribute('data-theme', 'dark');
    expect(localStorage.getItem('theme')).toBe('dark');
    await user.click(screen.getByRole('button', { name: 'Theme' }));
    await user.click(await screen.findByRole('menuitemradio', { name: 'As the system' }));
    expect(document.documentElement).not.toHaveAttribute('data-theme');
  });

  it('goes back to sign-in when the session ends meanwhile', async () => {
    const { world, router, user } = open('/pipelines', { pipelines: [makePipeline()] });
    await screen.findByRole('link', { name: 'Handwritten digits' });
    world.me = null;
    await user.click(screen.getByRole('link', { name: 'Runs' }));
    await waitFor(() => expect(router.state.location.pathname).toBe('/sign-in'));
    expect(router.state.location.search).toMatchObject({ next: '/runs' });
  });
});
