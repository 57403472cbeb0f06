import { screen, within } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import { makePipeline, makeRun } from '../testing/make';
import { open } from '../testing/render';

const cause = { task: 'train', task_run: 't', attempt: null, attempt_no: 1, reason: 'error' as const, message: 'labels contain NaN' };
const run = makeRun({ state: 'failed', cause });

async function lineOf(runbook: string) {
  open(`/runs/${run.id}?view=list`, { runs: [run], pipelines: [makePipeline({ runbook })] });
  return within(await screen.findByRole('region', { name: 'What failed' }));
}

describe('the line that says what failed', () => {
  it('leads to the runbook on the web', async () => {
    const line = await lineOf('https://wiki.example.org/digits');
    const link = await line.findByRole('link', { name: 'Runbook' });
    expect(link).toHaveAttribute('href', 'https://wiki.example.org/digits');
    expect(link).toHaveAttribute('rel', 'noreferrer');
  });

  it('leads to the pipeline whose runbook is a text, and never to a script', async () => {
    const line = await lineOf('javascript:alert(1)');
    expect(await line.findByRole('link', { name: 'Runbook' })).toHaveAttribute('href', '/pipelines/demo:digits-training');
  });

  it('says how many others failed, too', async () => {
    const many = { ...run, counts: { failed: 3, succeeded: 1 } };
    open(`/runs/${run.id}?view=list`, { runs: [many], tasks: { [run.id]: [] } });
    expect(await screen.findByText('2 other tasks failed, too.')).toBeVisible();
  });

  it('is silent about a runbook that nobody wrote', async () => {
    const line = await lineOf('');
    await screen.findByText('labels contain NaN');
    expect(line.queryByRole('link', { name: 'Runbook' })).not.toBeInTheDocument();
  });
});
