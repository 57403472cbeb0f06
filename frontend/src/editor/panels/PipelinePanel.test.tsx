import { act, screen } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import { draw } from '../../testing/drawPart';
import { TaskPanel } from './TaskPanel';

const HEAD = `title: Small
parameters:
  rate: {type: number, default: 0.1} # half would do
code: {location: demo}
tasks:
  train: {kind: shell, run: "echo 1", with: {rate: "\${{ params.rate }}"}}
`;

describe('the panel of the pipeline', () => {
  it('shows itself when nothing is selected, and changes title and defaults', async () => {
    const { user, written, container } = draw(<TaskPanel />, HEAD);
    const field = (place: string) => container.querySelector<HTMLElement>(`[id="field-${place}"]`)!;
    await user.clear(field('title'));
    await user.type(field('title'), 'Large');
    await user.type(field('defaults.timeout'), '5m');
    await user.selectOptions(field('priority'), 'high');
    expect(written()).toContain('title: Large');
    expect(written()).toContain('defaults: {timeout: "5m"}');
    expect(written()).toContain('priority: high');
    expect(written()).toContain('# half would do');
  });

  it('says where a parameter is used, and renames it everywhere', async () => {
    const { user, written } = draw(<TaskPanel />, HEAD);
    await user.click(screen.getByRole('button', { name: 'Open rate' }));
    expect(screen.getByText('Used by train.')).toBeInTheDocument();
    const name = screen.getByLabelText('Name of parameter rate');
    await user.clear(name);
    await user.type(name, 'pace{Enter}');
    expect(written()).toContain('params.pace');
  });

  it('adds a parameter and judges its default by its limits', async () => {
    const { user, written, container } = draw(<TaskPanel />, HEAD);
    await user.type(screen.getByLabelText('Name of a new parameter'), 'epochs{Enter}');
    expect(screen.getByRole('button', { name: 'Close epochs' })).toHaveAttribute('aria-expanded', 'true');
    const field = (place: string) => container.querySelector<HTMLElement>(`[id="field-parameters.epochs.${place}"]`)!;
    await user.selectOptions(field('type'), 'integer');
    await user.type(field('minimum'), '10');
    await user.type(field('default'), '3');
    expect(field('default')).toHaveAccessibleDescription('At least 10.');
    expect(written()).toContain('default: 3');
  });

  it('shows no fields of a draft that cannot be read, and leads to the fault', async () => {
    const { user, store, container } = draw(<TaskPanel />, 'tasks:\n  a: {kind: shell\n');
    expect(screen.getByText(/what the pipeline says is not known.*line/)).toBeVisible();
    expect(container.querySelector('[id="field-title"]')).toBeNull();
    await user.click(screen.getByRole('button', { name: /Go to line/ }));
    expect(store.getState().view).toBe('split');
  });

  it('locks its fields while the YAML cannot be read', () => {
    const { store, container } = draw(<TaskPanel />, HEAD);
    act(() => void store.getState().transact('Type', (doc) => ({ text: `${doc.text}[` })));
    expect(container.querySelector('[id="field-title"]')).toHaveAttribute('readonly');
    expect(screen.getByText(/these fields show what it said last/)).toBeVisible();
  });

  it('takes a new parameter only by a name that it can have', async () => {
    const { user } = draw(<TaskPanel />, HEAD);
    await user.type(screen.getByLabelText('Name of a new parameter'), 'rate');
    expect(screen.getByText("There is a 'rate' already.")).toBeInTheDocument();
    expect(screen.getByRole('button', { name: 'Add parameter' })).toBeDisabled();
  });
});
