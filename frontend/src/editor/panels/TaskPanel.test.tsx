import { act, screen, within } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import { draw } from '../../testing/drawPart';
import { TaskPanel } from './TaskPanel';
import type { Problem } from '../types';

const TASKS = `code: {location: demo}
parameters:
  rate: {type: number, default: 0.1}
tasks:
  ingest: {kind: python, run: "cancer:ingest"}
  train:
    kind: python
    run: cancer:train
    with: {table: "\${{ tasks.ingest.outputs.table }}"} # kept
  look:
    kind: check
    with: {table: "\${{ tasks.ingest.outputs.table }}"}
    checks:
      - {rows: {min: 1}}
  say: {kind: shell, run: "echo 1", strange: 3}
  yes: {kind: approval}
`;

function open(key: string, tasks = TASKS) {
  const drawn = draw(<TaskPanel />, tasks);
  act(() => drawn.store.getState().select([key]));
  const field = (place: string) => drawn.container.querySelector<HTMLElement>(`[id="field-${place}"]`)!;
  return { ...drawn, field };
}

describe('the panel of a task', () => {
  it('commits a number while it is typed, as one entry, and leaves the rest of the text alone', async () => {
    const { user, field, written, store } = open('train');
    await user.type(field('with.learning_rate'), '0.25');
    expect(field('with.learning_rate')).toHaveValue('0.25');
    expect(written()).toContain('learning_rate: 0.25');
    expect(written()).toContain('# kept');
    expect(store.getState().history.past).toHaveLength(1);
    await user.clear(field('with.learning_rate'));
    expect(written()).not.toContain('learning_rate');
  });

  it('shows the default as placeholder and says what is required', () => {
    const { field } = open('train');
    expect(field('with.trees')).toHaveAttribute('placeholder', '200');
    expect(screen.getByText('table, required')).toBeInTheDocument();
  });

  it('says at the field what is no number', async () => {
    const { user, field } = open('train');
    await user.type(field('with.trees'), 'many');
    expect(field('with.trees')).toHaveAttribute('aria-invalid', 'true');
    expect(field('with.trees')).toHaveAccessibleDescription('A whole number, please.');
  });

  it('shows what the server says at its field', () => {
    const { field, store } = open('train');
    const problem: Problem = { severity: 'error', code: 'x', path: 'tasks.train.with.trees', line: 9, column: 1, message: 'Far too many.', params: {} };
    const { text, model } = store.getState().doc;
    act(() => store.getState().setJudged({ text, model, graph: null, signatures: {}, problems: [problem] }));
    expect(field('with.trees')).toHaveAccessibleDescription('Far too many.');
  });

  it('shows a reference as a chip and gives the focus on when it is taken away', async () => {
    const { user, field, written } = open('train');
    expect(field('with.table')).toHaveTextContent('tableingest');
    field('with.table').focus();
    await user.keyboard('{Backspace}');
    expect(written()).not.toContain('tasks.ingest.outputs.table }}"} # kept');
    expect(field('with.table')).toHaveFocus();
    expect(field('with.table')).toHaveTextContent('Link an output…');
  });

  it('lists what fits, and writes what is chosen', async () => {
    const { user, field, written } = open('train');
    await user.click(screen.getByRole('button', { name: 'Refer to a value: learning_rate' }));
    const list = await screen.findByRole('listbox', { name: 'Values' });
    expect(within(list).getAllByRole('option')[0]).toHaveTextContent('rate');
    await user.keyboard('{Enter}');
    expect(written()).toContain('learning_rate: "${{ params.rate }}"');
    expect(field('with.learning_rate')).toHaveTextContent('rateparameter of the pipeline');
  });

  it('opens the choice of values when one begins to type a reference', async () => {
    const { user, field } = open('train');
    await user.type(field('with.learning_rate'), '${{{{');
    expect(await screen.findByRole('listbox', { name: 'Values' })).toBeInTheDocument();
  });

  it('makes the rules of a check editable, one rule each', async () => {
    const { user, written } = open('look');
    const rule = screen.getByLabelText('Which one');
    expect(rule).toHaveValue('rows');
    await user.selectOptions(rule, 'unique');
    expect(written()).toContain('unique: true');
    expect(written()).not.toContain('rows');
    await user.click(screen.getByRole('button', { name: 'Add check' }));
    expect(screen.getAllByLabelText('Which one')).toHaveLength(2);
  });

  it('shows keys that mean nothing to the kind, and takes them away when asked', async () => {
    const { user, written } = open('say');
    expect(screen.getByText('strange: 3')).toBeInTheDocument();
    await user.click(screen.getByRole('button', { name: 'Remove strange' }));
    expect(written()).not.toContain('strange');
  });

  it('gives a shell task inputs and outputs by name', async () => {
    const { user, written, field } = open('say');
    await user.type(screen.getByLabelText('Name of a new input'), 'size{Enter}');
    await user.type(field('with.size'), '5');
    await user.type(screen.getByLabelText('Name of a new output'), 'report{Enter}');
    await user.selectOptions(field('outputs.report'), 'file');
    expect(written()).toContain('size: 5');
    expect(written()).toContain('report: file');
  });

  it('knows yes, no and not said', async () => {
    const { user, written } = open('yes');
    await user.click(screen.getByRole('radio', { name: 'true' }));
    expect(written()).toContain('requester_may_approve: true');
    await user.click(screen.getByRole('radio', { name: 'default: false' }));
    expect(written()).not.toContain('requester_may_approve');
  });

  it('says in words what a task waits for, and lets it wait for another', async () => {
    const { user, written } = open('train');
    await user.click(screen.getByRole('tab', { name: 'Flow' }));
    expect(screen.getByText(/table → table · after success/)).toBeInTheDocument();
    await user.selectOptions(screen.getByLabelText('Wait for another task'), 'look');
    expect(written()).toMatch(/needs:\s*(\[look\]|\n\s*- look)/);
    await user.selectOptions(screen.getByLabelText('When it follows look'), 'on failure');
    expect(written()).toContain('failure');
    await user.click(screen.getByRole('button', { name: 'Remove the link from look (order)' }));
    expect(written()).not.toContain('needs');
  });

  it('inserts a value into a condition', async () => {
    const { user, field, written } = open('train');
    await user.click(screen.getByRole('tab', { name: 'Flow' }));
    await user.type(field('when'), '1 < ');
    await user.click(screen.getByRole('button', { name: 'Insert a value into the condition' }));
    await user.type(await screen.findByLabelText('Search values'), 'rate{Enter}');
    expect(written()).toContain('when: "1 < params.rate"');
  });

  it('takes durations and numbers of retries, and clears what is cleared', async () => {
    const { user, field, written } = open('train');
    await user.click(screen.getByRole('tab', { name: 'Run' }));
    await user.type(field('retries.limit'), '3');
    await user.type(field('timeout'), 'soon');
    expect(field('timeout')).toHaveAccessibleDescription(/a duration/);
    expect(written()).toContain('limit: 3');
    await user.clear(field('retries.limit'));
    await user.clear(field('timeout'));
    expect(written()).not.toMatch(/retries|timeout/);
  });

  it('renames a task, and every reference follows', async () => {
    const { user, written, store } = open('ingest');
    const name = screen.getByLabelText('Name');
    await user.clear(name);
    await user.type(name, 'load{Enter}');
    expect(written()).toContain('tasks.load.outputs.table');
    expect([...store.getState().selection]).toEqual(['load']);
  });

  it('has no queue for what no worker carries out', () => {
    open('yes');
    expect(screen.queryByRole('tab', { name: 'Run' })).toBeNull();
  });

  it('shows everything and takes nothing when it is for reading only', () => {
    const drawn = draw(<TaskPanel />, TASKS);
    const { doc, load, select } = drawn.store.getState();
    act(() => load(doc.text, doc.layout, true));
    act(() => select(['train']));
    expect(drawn.container.querySelector('[id="field-with.trees"]')).toHaveAttribute('readonly');
    expect(screen.queryByRole('button', { name: /Refer to a value/ })).toBeNull();
  });

  it('offers for several tasks what can be done with all of them', async () => {
    const { user, store, written } = open('train');
    act(() => store.getState().select(['ingest', 'train']));
    await user.type(screen.getByLabelText('Queue'), 'gpu');
    expect(written().match(/queue: gpu/g)).toHaveLength(2);
    expect(store.getState().history.past).toHaveLength(1);
  });

  it('shows a link by both its ends', async () => {
    const { user, store, written } = open('train');
    const link = store.getState().doc.model.links.find(({ to }) => to === 'train')!;
    act(() => store.getState().select([link.id]));
    expect(screen.getByText(/table → table/)).toBeInTheDocument();
    await user.click(screen.getByRole('button', { name: 'Remove the link' }));
    expect(written()).not.toContain('# kept\n    with');
    expect(store.getState().doc.model.links.some(({ to }) => to === 'train')).toBe(false);
  });
});
