import { screen, waitFor, within } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import { makeEnvironment } from '../testing/environments';
import { open } from '../testing/render';

const LIST = '/environments';

describe('the list of environments', () => {
  it('shows that it loads, that there is none, and what went wrong', async () => {
    const first = open(LIST, { hang: ['GET /api/v1/environments'] });
    expect(await screen.findByText('Loading the environments')).toBeInTheDocument();
    first.unmount();
    const second = open(LIST);
    expect(await screen.findByText('No environments yet')).toBeVisible();
    second.unmount();
    open(LIST, { refuse: { 'GET /api/v1/environments': { status: 500, title: 'Broken.' } } });
    expect(await screen.findByText('The environments could not be loaded.')).toBeVisible();
  });

  it('shows who uses each, its state, Python, packages and size', async () => {
    open(LIST, { environments: [makeEnvironment()] });
    const row = within((await screen.findAllByRole('row'))[1]!);
    for (const words of ['shop', 'Ready', '3.11.7', '1', '240 MiB']) expect(row.getByText(words)).toBeVisible();
  });

  it('says what failed, what is under way and what waits', async () => {
    open(LIST, {
      environments: [
        makeEnvironment({ state: 'failed', problem: 'numpy==9: not found' }),
        makeEnvironment({ state: 'building', progress: 'Installing 3 packages' }),
        makeEnvironment({ state: 'missing', progress: 'Waiting for its turn', python: '', wanted: '>=3.12' }),
      ],
    });
    for (const words of ['numpy==9: not found', 'Installing 3 packages', 'Waiting', 'wants >=3.12']) {
      expect(await screen.findByText(words)).toBeVisible();
    }
  });
});

describe('one environment', () => {
  const pageOf = (change: Parameters<typeof makeEnvironment>[0]) => {
    const environment = makeEnvironment(change);
    return { environment, ...open(`/environments/${environment.id}`, { environments: [environment] }) };
  };

  it('shows packages, hosts and log, and nothing to press when it is ready', async () => {
    pageOf({});
    expect(await screen.findByRole('log')).toHaveTextContent('+ numpy==2.1.0');
    expect(screen.getByText('2.1.0')).toBeVisible();
    expect(screen.getByText('/srv/envs/abc/bin/python')).toBeVisible();
    expect(screen.queryByRole('button', { name: 'Build again' })).not.toBeInTheDocument();
  });

  it('names the problem and has it built again', async () => {
    const { user, environment } = pageOf({ state: 'failed', problem: 'numpy==9: not found', problem_code: 'build-failed' });
    expect(await screen.findByRole('alert')).toHaveTextContent('numpy==9: not found');
    await user.click(screen.getByRole('button', { name: 'Build again' }));
    expect(await screen.findByText('Waiting for its turn')).toBeVisible();
    expect(environment.state).toBe('missing');
    expect(screen.getByRole('button', { name: 'Build again' })).toBeDisabled();
  });

  it('offers nothing to who may not build', async () => {
    pageOf({ state: 'failed', problem: 'no', may_build: false });
    expect(await screen.findByRole('alert')).toBeVisible();
    expect(screen.queryByRole('button', { name: 'Build again' })).not.toBeInTheDocument();
  });

  it('follows the log while it is built, without asking for what it has', async () => {
    const { environment, world } = pageOf({ state: 'building', progress: 'Installing 1 package', log: 'first\n' });
    expect(await screen.findByRole('log')).toHaveTextContent('first');
    environment.log += 'second\n';
    await waitFor(() => expect(screen.getByRole('log')).toHaveTextContent('first second'), { timeout: 3_000 });
    expect(world.asked.some((line) => line.endsWith('/log/?offset=6'))).toBe(true);
  });

  it('says which modules could not be imported ahead', async () => {
    pageOf({ preload_problems: [{ module: 'sklearn', problem: 'ModuleNotFoundError' }] });
    expect(await screen.findByText('sklearn')).toBeVisible();
  });

  it('says that there is none', async () => {
    open('/environments/00000000-0000-4000-8000-000000000000');
    expect(await screen.findByText(/There is no such environment/)).toBeVisible();
  });
});
