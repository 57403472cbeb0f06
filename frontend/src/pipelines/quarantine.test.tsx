import { screen, waitFor, within } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import { makeQuarantine } from '../testing/admission';
import { makePipeline } from '../testing/make';
import { open } from '../testing/render';

function show(change = {}) {
  return open('/pipelines/demo:digits-training', { pipelines: [makePipeline()], quarantines: [makeQuarantine('train', change)] });
}

describe('a task in quarantine', () => {
  it('is said on the page of its pipeline, with the run and the way out', async () => {
    show({ may_lift: false });
    expect(await screen.findByText('train, version 3, is in quarantine.')).toBeVisible();
    expect(screen.getByRole('link', { name: 'run 11' })).toBeVisible();
    expect(screen.getByText(/Publish a version after 3 that is mended/)).toBeVisible();
    expect(screen.queryByRole('button', { name: /Lift/ })).not.toBeInTheDocument();
  });

  it('is lifted by an operator, and said no more', async () => {
    const { user, world } = show();
    await user.click(await screen.findByRole('button', { name: 'Lift the quarantine of train' }));
    const dialog = within(await screen.findByRole('dialog', { name: 'Lift the quarantine of train?' }));
    expect(dialog.getByRole('button', { name: 'Lift' })).toBeDisabled();
    await user.type(dialog.getByRole('textbox', { name: 'Comment' }), 'more memory');
    await user.click(dialog.getByRole('button', { name: 'Lift' }));
    await waitFor(() => expect(screen.queryByText(/is in quarantine/)).not.toBeInTheDocument());
    expect(world.quarantines).toEqual([]);
  });
});
