import { render, screen } from '@testing-library/react';
import type { ReactNode } from 'react';
import { describe, expect, it } from 'vitest';
import { Button } from './Button';
import { Dialog } from './Dialog';
import { Input } from './Fields';

function draw(children: ReactNode) {
  render(
    <Dialog open onClose={() => undefined} title="Rename" footer={<Button>Cancel</Button>}>
      {children}
    </Dialog>,
  );
}

describe('a dialog', () => {
  it('begins in its first field that can be changed', () => {
    draw(
      <>
        <input type="radio" aria-label="Mine" />
        <Input aria-label="Team" disabled />
        <Input aria-label="Name" />
      </>,
    );
    expect(screen.getByLabelText('Name')).toHaveFocus();
  });

  it('without a field begins at its first button', () => {
    draw(<p>Nothing to fill in.</p>);
    expect(screen.getByRole('button', { name: 'Close' })).toHaveFocus();
  });
});
