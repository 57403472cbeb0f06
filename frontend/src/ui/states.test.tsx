import { render, screen } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import { StateBadge } from './StateBadge';
import { hasEnded, lookOf } from './states';

const EVERY: [state: string, look: string, word: string][] = [
  ['pending', 'queued', 'Queued'],
  ['ready', 'queued', 'Queued'],
  ['queued', 'queued', 'Queued'],
  ['waiting', 'queued', 'Waiting'],
  ['running', 'running', 'Running'],
  ['succeeded', 'succeeded', 'Succeeded'],
  ['failed', 'failed', 'Failed'],
  ['upstream_failed', 'failed', 'Not run'],
  ['retry_wait', 'retrying', 'Retrying'],
  ['skipped', 'skipped', 'Skipped'],
  ['cancelled', 'cancelled', 'Cancelled'],
  ['cancelling', 'cancelled', 'Cancelled'],
  ['awaiting_approval', 'approval', 'Needs approval'],
  ['lost', 'failed', 'Lost'],
];

describe('the badge of a state', () => {
  it.each(EVERY)('of %s is the row %s and says %s, with a glyph', (state, look, word) => {
    const { container } = render(<StateBadge state={state} />);
    expect(screen.getByText(word)).toBeVisible();
    expect(container.querySelector('[data-state]')).toHaveAttribute('data-look', look);
    expect(container.querySelector('svg')).toBeInTheDocument();
  });

  it('is hollow for what did not run itself', () => {
    expect(EVERY.filter(([state]) => lookOf(state).hollow).map(([state]) => state)).toEqual(['upstream_failed', 'lost']);
  });

  it('says a word it does not know as it is', () => {
    render(<StateBadge state="brand_new" />);
    expect(screen.getByText('brand new')).toBeVisible();
  });

  it('says the attempt after the word', () => {
    render(<StateBadge state="retry_wait" extra="after attempt 1" />);
    expect(screen.getByText('Retrying, after attempt 1')).toBeVisible();
  });
});

describe('an end', () => {
  it.each(['succeeded', 'failed', 'upstream_failed', 'skipped', 'cancelled'])('is %s', (state) => {
    expect(hasEnded(state)).toBe(true);
  });

  it.each(['pending', 'ready', 'running', 'retry_wait', 'waiting', 'awaiting_approval', 'cancelling'])(
    'is not %s',
    (state) => expect(hasEnded(state)).toBe(false),
  );
});
