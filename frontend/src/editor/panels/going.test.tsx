import { act, render, screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { describe, expect, it, vi } from 'vitest';
import type { Stage } from '../commands/types';
import { useJump, type Jump } from '../jump';
import { StageContext } from '../page/stage';
import { EditorContext, makeEditor } from '../store';
import type { Problem } from '../types';
import { CommandMenu } from './CommandMenu';
import { FindBox } from './FindBox';
import { ProblemsDrawer } from './ProblemsDrawer';
import { ShortcutSheet } from './ShortcutSheet';

/* Drawer, find, command menu and sheet: the parts that lead somewhere else. */

const TEXT = `name: digits
tasks:
  ingest: {kind: python, run: "digits:ingest"}
  train: {kind: python, run: "digits:train", queue: gpu}
`;

function problem(path: string, line: number, message: string, severity = 'error'): Problem {
  return { severity, code: 'bad-value', path, line, column: 1, message, params: {} };
}

function open(draw: (stage: Stage) => React.ReactNode, problems: Problem[] = []) {
  const store = makeEditor('vision:digits', TEXT);
  const { text, model } = store.getState().doc;
  store.getState().setJudged({ text, problems, graph: null, signatures: {}, model });
  const stage: Stage = { store, open: vi.fn(), camera: null };
  const jumped: Jump[] = [];
  function Ear() {
    useJump((jump) => jumped.push(jump));
    return null;
  }
  render(
    <EditorContext value={store}>
      <StageContext value={stage}>
        <Ear />
        {draw(stage)}
      </StageContext>
    </EditorContext>,
  );
  jumped.length = 0;
  return { store, stage, jumped, user: userEvent.setup() };
}

const later = () => act(() => new Promise((resolve) => setTimeout(resolve, 20)));

describe('the problems drawer', () => {
  const PROBLEMS = [
    problem('overlap', 1, 'Nothing carries it out yet.', 'warning'),
    problem('tasks.train.with.rate', 4, "'train' has no input 'rate'."),
    problem('tasks.ingest.run', 3, 'There is no such block.'),
  ];

  it('lists errors before warnings, with task and place', () => {
    open(() => <ProblemsDrawer />, PROBLEMS);
    const rows = screen.getAllByRole('option').map((row) => row.textContent);
    expect(rows).toEqual([
      "Errortrain'train' has no input 'rate'.with.rate line 4",
      'ErroringestThere is no such block.run line 3',
      'WarningPipelineNothing carries it out yet.overlap line 1',
    ]);
    expect(screen.getByText('2 errors, 1 warning', { selector: 'span' })).toBeVisible();
  });

  it('goes with Enter to the field, and selects its task', async () => {
    const { store, jumped, user } = open(() => <ProblemsDrawer />, PROBLEMS);
    await waitFor(() => expect(screen.getAllByRole('option')[0]).toHaveFocus());
    await user.keyboard('{ArrowDown}{ArrowUp}{Enter}');
    await later();
    expect([...store.getState().selection]).toEqual(['train']);
    expect(jumped).toEqual([{ key: 'train', place: 'with.rate', line: 4 }]);
  });

  it('goes into the text, shown beside the canvas, when there is no field for it', async () => {
    const { store, jumped, user } = open(() => <ProblemsDrawer />, [problem('', 1, 'A tag is not allowed.')]);
    await user.click(screen.getByRole('option'));
    await later();
    expect(store.getState().view).toBe('split');
    expect(jumped).toEqual([{ key: null, line: 1 }]);
  });

  it('does not say that there is none before the server has said so', () => {
    const { store } = open(() => <ProblemsDrawer />);
    act(() => store.setState({ judged: null }));
    expect(screen.getByText('Not checked yet: waiting for the server.')).toBeVisible();
    expect(screen.queryByText('No problems')).not.toBeInTheDocument();
  });

  it('says when there is none', () => {
    open(() => <ProblemsDrawer />);
    expect(screen.getByText('No problems', { selector: 'p:not([role])' })).toBeVisible();
  });

  it('of many shows some, and filters them', async () => {
    const many = Array.from({ length: 1000 }, (_, number) => problem('tasks.train.run', 4, `Problem ${number}.`));
    const { user } = open(() => <ProblemsDrawer />, many);
    expect(screen.getAllByRole('option').length).toBeLessThan(60);
    await user.type(screen.getByRole('searchbox', { name: 'Filter problems' }), 'problem 77.');
    expect(screen.getAllByRole('option')).toHaveLength(1);
    await user.clear(screen.getByRole('searchbox'));
    await user.click(screen.getByRole('radio', { name: 'Warnings 0' }));
    expect(screen.getByText('No problem matches this filter.')).toBeVisible();
  });
});

describe('find', () => {
  it('goes with arrows and Enter to what was found', async () => {
    const close = vi.fn();
    const { store, jumped, user } = open(() => <FindBox onClose={close} />);
    await user.keyboard('python{ArrowDown}{Enter}');
    await later();
    expect([...store.getState().selection]).toEqual(['train']);
    expect(jumped).toEqual([{ key: 'train', place: 'kind' }]);
    expect(close).toHaveBeenCalledOnce();
  });

  it('says how many, and when nothing was found', async () => {
    const { user } = open(() => <FindBox onClose={vi.fn()} />);
    await user.keyboard('gpu');
    expect(screen.getByRole('status')).toHaveTextContent('1 found');
    expect(screen.getByRole('option')).toHaveTextContent('trainqueue: gpu');
    await user.keyboard('xyz');
    expect(screen.getByRole('status')).toHaveTextContent('Nothing found');
  });

  it('closes with Escape', async () => {
    const close = vi.fn();
    const { user } = open(() => <FindBox onClose={close} />);
    await user.keyboard('{Escape}');
    expect(close).toHaveBeenCalledOnce();
  });
});

describe('the command menu', () => {
  it('does what is chosen after it has closed', async () => {
    const change = vi.fn();
    const { stage, user } = open((stage) => <CommandMenu open onOpenChange={change} stage={stage} />);
    await user.keyboard('canvas and{Enter}');
    expect(change).toHaveBeenCalledWith(false);
    expect(stage.store.getState().view).toBe('canvas');
  });

  it('shows what cannot be done now, and finds tasks', async () => {
    const { user } = open((stage) => <CommandMenu open onOpenChange={vi.fn()} stage={stage} />);
    expect(screen.getByRole('option', { name: /^Undo/ })).toHaveAttribute('aria-disabled', 'true');
    await user.keyboard('gpu');
    expect(screen.getByRole('option', { name: /train/ })).toBeVisible();
    await user.keyboard('zzz');
    expect(screen.getByText('No command and no task is called that.')).toBeVisible();
  });
});

it('the sheet names every command that has keys', () => {
  open(() => <ShortcutSheet open onClose={vi.fn()} />);
  expect(screen.getByText('Undo').closest('div')).toHaveTextContent('UndoCtrlZ');
  expect(screen.getByText('Keyboard shortcuts', { selector: 'dt' }).closest('div')).toHaveTextContent('?');
});
