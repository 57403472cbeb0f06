import { screen, within } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import { digest, makeDeployment, makeMove, makeTrace } from '../testing/make';
import { open } from '../testing/render';
import { fromLocal, toLocal } from '../ui/localTime';

const deployed = makeDeployment('digits-prod', {}, [makeMove(), makeMove({ version: 2 })]);
const world = { deployments: [deployed], traces: { 'demo:digits-prod': makeTrace() } };

describe('the list of deployments', () => {
  it('shows that it is loading, that there is nothing, and what went wrong', async () => {
    const first = open('/deployments', { hang: ['GET /api/v1/deployments'] });
    expect(await screen.findByText('Loading the deployments')).toBeInTheDocument();
    first.unmount();
    const second = open('/deployments');
    expect(await screen.findByText('No endpoints yet')).toBeVisible();
    second.unmount();
    open('/deployments', { refuse: { 'GET /api/v1/deployments': { status: 500, title: 'Broken.' } } });
    expect(await screen.findByText('The deployments could not be loaded.')).toBeVisible();
  });

  it('shows which model version is where since when', async () => {
    open('/deployments', world);
    expect(await screen.findByRole('link', { name: 'digits-prod' })).toHaveAttribute('href', '/deployments/demo:digits-prod');
    expect(screen.getByText('digits version 3')).toBeVisible();
  });
});

describe('the page of a deployment', () => {
  it('answers with data, code, parameters, packages, metrics and approver', async () => {
    open('/deployments/demo:digits-prod?view=list', world);
    const section = async (name: string) => within(await screen.findByRole('region', { name }));
    expect((await section('Data')).getByTitle(digest('table'))).toBeVisible();
    expect((await section('Code')).getByTitle(digest('code'))).toBeVisible();
    expect((await section('Parameters')).getByText('learning_rate')).toBeVisible();
    expect((await section('Packages')).getByText('scikit-learn')).toBeVisible();
    expect((await section('Model and metrics')).getByText('0.9722')).toBeVisible();
    expect((await section('Approval')).getByText('Ana Lim')).toBeVisible();
    expect((await section('Gaps')).getByText(/None/)).toBeVisible();
    expect(screen.getByText('Complete')).toBeVisible();
  });

  it('finds a package', async () => {
    const { user } = open('/deployments/demo:digits-prod?view=list', world);
    await user.type(await screen.findByRole('searchbox', { name: 'Find a package' }), 'scikit');
    expect(screen.queryByText('numpy')).not.toBeInTheDocument();
    expect(screen.getByText('scikit-learn')).toBeVisible();
  });

  it('shows the detail of what is selected, and keeps it in the address', async () => {
    const { user, router } = open('/deployments/demo:digits-prod?view=list', world);
    await user.click(await screen.findByRole('button', { name: 'train.model' }));
    expect(router.state.location.search).toMatchObject({ node: 'a2' });
    const detail = within(screen.getByRole('complementary', { name: 'Details of train.model' }));
    expect(detail.getByText('1.1 MiB')).toBeVisible();
  });

  it('says what is missing while records are not sealed, and names every gap', async () => {
    const trace = makeTrace({
      complete: false,
      missing: ['The record of the deployment is not sealed yet.'],
      gaps: [{ record: 'r', job: 'j', code: 'hardware-unknown', about: '', message: 'train: the processor is not known.' }],
      approval: null,
    });
    open('/deployments/demo:digits-prod?view=list', { ...world, traces: { 'demo:digits-prod': trace } });
    expect(await screen.findByText('The record of the deployment is not sealed yet.')).toBeVisible();
    expect(screen.getByText('train: the processor is not known.')).toBeVisible();
    expect(screen.getByText(/No person approved this/)).toBeVisible();
  });

  it('says that nothing is deployed, and that an endpoint does not exist', async () => {
    const first = open('/deployments/demo:digits-prod', { deployments: [makeDeployment('digits-prod')] });
    expect(await screen.findByText('Nothing is deployed here yet')).toBeVisible();
    first.unmount();
    open('/deployments/demo:gone');
    expect(await screen.findByText('There is no endpoint demo:gone.')).toBeVisible();
  });

  it('asks for the moment of the address', async () => {
    const { world: live } = open('/deployments/demo:digits-prod?view=list&at=2026-03-02T08:00:00.000Z', world);
    await screen.findByRole('region', { name: 'Data' });
    expect(live.asked.filter((line) => line.includes('at=2026-03-02'))).toHaveLength(2);
  });
});

describe('a moment in a field', () => {
  it('goes there and back', () => {
    expect(fromLocal(toLocal('2026-03-02T08:15:00.000Z'))).toBe('2026-03-02T08:15:00.000Z');
  });

  it('is nothing while it is not a whole date', () => {
    expect(fromLocal('')).toBeUndefined();
    expect(fromLocal('nonsense')).toBeUndefined();
    expect(toLocal('nonsense')).toBe('');
  });
});
