import { screen, waitFor, within } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import { makeLimits } from '../testing/admission';
import { open } from '../testing/render';

const PLACE = '/settings/members';

describe('the limits of a team', () => {
  it('says what went wrong, for itself', async () => {
    open(PLACE, { refuse: { 'GET /api/v1/teams': { status: 500, title: 'Broken.' } } });
    expect(await screen.findByText('The limits could not be loaded.')).toBeVisible();
  });

  it('shows a member what the team has and may have, and offers nothing', async () => {
    const queues = [{ queue: 'gpu', running_tasks: 1, weight: 2 }];
    open(PLACE, { limits: makeLimits({ active_runs: 5, queues }) });
    expect(await screen.findByText('2 now, at most 5')).toBeVisible();
    expect(screen.getByText('7 now, no limit')).toBeVisible();
    expect(screen.getByText('tasks that run: at most 1; share 2')).toBeVisible();
    expect(screen.queryByRole('button', { name: 'Set limits' })).not.toBeInTheDocument();
  });

  it('lets a site admin set them, and keeps those of single queues', async () => {
    const queues = [{ queue: 'gpu', running_tasks: 1, weight: null }];
    const { user, world } = open(PLACE, { limits: makeLimits({ active_runs: 5, queues, may_set: true }) });
    await user.click(await screen.findByRole('button', { name: 'Set limits' }));
    const dialog = within(await screen.findByRole('dialog', { name: 'Limits of demo' }));
    await user.clear(dialog.getByRole('spinbutton', { name: 'Unfinished runs' }));
    await user.type(dialog.getByRole('spinbutton', { name: 'Tasks that run' }), '3{Enter}');
    await waitFor(() => expect(world.limits).toMatchObject({ active_runs: null, running_tasks: 3, queues }));
    expect(await screen.findByText('1 now, at most 3')).toBeVisible();
  });

  it('lets a site admin limit single queues, and lift such a limit', async () => {
    const queues = [{ queue: 'gpu', running_tasks: 1, weight: null }];
    const { user, world } = open(PLACE, { limits: makeLimits({ queues, may_set: true }) });
    await user.click(await screen.findByRole('button', { name: 'Set limits' }));
    const dialog = within(await screen.findByRole('dialog', { name: 'Limits of demo' }));
    expect(dialog.getByRole('spinbutton', { name: 'Tasks that run on gpu' })).toHaveValue(1);
    await user.click(dialog.getByRole('button', { name: 'No limits of its own on gpu' }));
    expect(dialog.getByRole('group', { name: /On single queues/ })).toHaveFocus();
    await user.selectOptions(await dialog.findByRole('combobox', { name: 'Limit a queue' }), 'cpu');
    await user.type(dialog.getByRole('spinbutton', { name: 'Tasks that run on cpu' }), '4');
    await user.type(dialog.getByRole('spinbutton', { name: 'Share of cpu' }), '0.5{Enter}');
    await waitFor(() => expect(world.limits.queues).toEqual([{ queue: 'cpu', running_tasks: 4, weight: 0.5 }]));
    expect(await screen.findByText('tasks that run: at most 4; share 0.5')).toBeVisible();
  });

  it('says beside the queues what is refused of them', async () => {
    const queues = [{ queue: 'gpu', running_tasks: 1, weight: null }];
    const errors = [{ field: 'queues.0.weight', message: 'A number above 0.' }];
    const refuse = { 'PUT /api/v1/teams': { status: 422, title: 'Invalid.', detail: 'queues.0.weight: A number above 0.', errors } };
    const { user } = open(PLACE, { limits: makeLimits({ queues, may_set: true }), refuse });
    await user.click(await screen.findByRole('button', { name: 'Set limits' }));
    const dialog = within(await screen.findByRole('dialog', { name: 'Limits of demo' }));
    await user.type(dialog.getByRole('spinbutton', { name: 'Share of gpu' }), '0{Enter}');
    const group = within(dialog.getByRole('group', { name: 'On single queues, within the limits above' }));
    expect(await group.findByText('A number above 0.')).toBeVisible();
    expect(dialog.queryByText(/queues\.0/)).not.toBeInTheDocument();
  });
});
