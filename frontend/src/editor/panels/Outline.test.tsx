import { act, screen, waitFor, within } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import { draw } from '../../testing/drawPart';
import { Outline } from './Outline';

const TASKS = `code: {location: demo}
tasks:
  ingest: {kind: python, run: "cancer:ingest"}
  train: {kind: python, run: "cancer:train"}
  both:
    kind: group
    tasks:
      inner: {kind: shell, run: "echo 1"}
`;

function open() {
  const drawn = draw(<Outline />, TASKS);
  const tree = screen.getByRole('tree', { name: 'Tasks' });
  act(() => tree.focus());
  const names = () => screen.getAllByRole('treeitem').map((item) => item.textContent.split(',')[0]);
  return { ...drawn, tree, names };
}

describe('the outline', () => {
  it('is a tree of tasks and scopes', () => {
    const { names } = open();
    expect(names()).toEqual(['ingest', 'train', 'both', 'inner']);
    expect(screen.getByRole('treeitem', { name: /inner/ })).toHaveAttribute('aria-level', '2');
    expect(screen.getByRole('treeitem', { name: /both/ })).toHaveAttribute('aria-expanded', 'true');
  });

  it('selects by arrows, folds and unfolds', async () => {
    const { user, store, names } = open();
    await user.keyboard('{ArrowDown}{ArrowDown}');
    expect([...store.getState().selection]).toEqual(['both']);
    await user.keyboard('{ArrowLeft}');
    expect(names()).toEqual(['ingest', 'train', 'both']);
    await user.keyboard('{ArrowRight}{ArrowRight}');
    expect([...store.getState().selection]).toEqual(['both/inner']);
    await user.keyboard('{ArrowLeft}');
    expect([...store.getState().selection]).toEqual(['both']);
  });

  it('takes several with Shift and the space bar', async () => {
    const { user, store } = open();
    await user.keyboard('{Home}{Shift>}{ArrowDown}{/Shift}');
    expect([...store.getState().selection]).toEqual(['ingest', 'train']);
    await user.keyboard(' ');
    expect([...store.getState().selection]).toEqual(['ingest']);
  });

  it('renames in place with F2 and gives the focus back', async () => {
    const { user, store, tree } = open();
    await user.keyboard('{F2}');
    await user.keyboard('load{Enter}');
    expect(store.getState().doc.model.tasks.has('load')).toBe(true);
    expect(store.getState().said.text).toBe('Rename ingest to load');
    expect(tree).toHaveFocus();
  });

  it('shows what matches the filter, with the scopes around it', async () => {
    const { user, names } = open();
    await user.type(screen.getByLabelText('Filter tasks'), 'inn');
    expect(names()).toEqual(['both', 'inner']);
    await user.type(screen.getByLabelText('Filter tasks'), 'xyz');
    expect(screen.getByText("Nothing matches 'innxyz'.")).toBeInTheDocument();
  });

  it('links a task to another one by what is given and taken', async () => {
    const { user, store } = open();
    await user.keyboard('{Home}l');
    const dialog = await screen.findByRole('dialog', { name: 'Link ingest to…' });
    expect(within(dialog).getByLabelText('Output')).toHaveValue('table');
    expect(within(dialog).getByLabelText('Input')).toHaveValue('table');
    await user.click(within(dialog).getByRole('button', { name: 'Link' }));
    expect(store.getState().doc.model.links).toMatchObject([{ from: 'ingest', to: 'train', output: 'table', input: 'table' }]);
  });

  it('gives a shell task a further input by a link', async () => {
    const { user, store } = draw(<Outline />, `tasks:\n  a: {kind: shell, run: ls, outputs: {rows: number}}\n  b: {kind: shell, run: ls, with: {rows: 1}}\n`);
    act(() => screen.getByRole('tree').focus());
    await user.keyboard('{Home}l');
    const input = await screen.findByLabelText('Input');
    expect(input).toHaveDisplayValue('New: rows_2');
    await user.click(screen.getByRole('button', { name: 'Link' }));
    expect(store.getState().doc.model.links).toMatchObject([{ from: 'a', to: 'b', output: 'rows', input: 'rows_2' }]);
  });

  it('does not offer a link that would close a loop', async () => {
    const { user, store, tree } = open();
    await user.keyboard('{Home}l');
    await user.click(screen.getByRole('button', { name: 'Link' }));
    await waitFor(() => expect(tree).toHaveFocus());
    await user.keyboard('{ArrowDown}l');
    const dialog = await screen.findByRole('dialog', { name: 'Link train to…' });
    expect(within(dialog).getByText(/loop/)).toBeInTheDocument();
    expect(within(dialog).getByRole('button', { name: 'Link' })).toBeDisabled();
    expect(store.getState().doc.model.links).toHaveLength(1);
  });

  it('moves a task into a new group, takes it apart again, and deletes by the menu', async () => {
    const { user, store } = open();
    await user.click(screen.getByRole('button', { name: 'Actions of ingest' }));
    await user.click(screen.getByRole('menuitem', { name: 'Move into a new group…' }));
    await user.clear(screen.getByLabelText('Name of the group'));
    await user.type(screen.getByLabelText('Name of the group'), 'first{Enter}');
    expect(store.getState().doc.model.tasks.has('first/ingest')).toBe(true);
    await user.click(screen.getByRole('button', { name: 'Actions of first' }));
    await user.click(screen.getByRole('menuitem', { name: 'Ungroup' }));
    expect(store.getState().doc.model.tasks.has('ingest')).toBe(true);
    await user.click(screen.getByRole('button', { name: 'Actions of train' }));
    await user.click(screen.getByRole('menuitem', { name: 'Delete' }));
    expect(store.getState().doc.model.tasks.has('train')).toBe(false);
  });

  it('moves the selected tasks into a group that is there, and says why not', async () => {
    const { user, store } = open();
    await user.keyboard('{Home}{Shift>}{ArrowDown}{/Shift}');
    await user.click(screen.getByRole('button', { name: 'Actions of train' }));
    await user.click(screen.getByRole('menuitem', { name: 'Move into…' }));
    const dialog = await screen.findByRole('dialog', { name: 'Move 2 tasks into…' });
    expect(within(dialog).getAllByRole('option').map((option) => option.textContent)).toEqual(['both']);
    await user.click(within(dialog).getByRole('button', { name: 'Move' }));
    expect([...store.getState().selection]).toEqual(['both/ingest', 'both/train']);
    act(() => void store.getState().transact('Break', (doc) => ({ text: `${doc.text}\n[` })));
    await user.click(screen.getByRole('button', { name: 'Actions of inner' }));
    await user.click(screen.getByRole('menuitem', { name: 'Move into…' }));
    await user.click(screen.getByRole('button', { name: 'Move' }));
    expect(screen.getByLabelText('Group')).toHaveAccessibleDescription(/Fix the YAML first: line/);
  });

  it('says when there is nothing', () => {
    draw(<Outline />, 'tasks: {}\n');
    expect(screen.getByText('No tasks yet: add one from the palette.')).toBeInTheDocument();
  });

  it('says when the YAML cannot be read', () => {
    draw(<Outline />, 'tasks: [\n');
    expect(screen.getByText(/the YAML cannot be read in line/)).toBeInTheDocument();
  });
});
