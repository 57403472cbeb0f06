import { EditorView } from '@codemirror/view';
import { forEachDiagnostic } from '@codemirror/lint';
import { act, render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, it } from 'vitest';
import { requestJump } from '../jump';
import { EditorContext, makeEditor } from '../store';
import type { Signature } from '../types';
import { PythonPane } from './PythonPane';
import { template } from './template';

const TEXT = `name: digits
tasks:
  clean:
    kind: python
    # what it does
    source: |
      def clean(table):
          return table
    with: {table: 1}
  empty:
    kind: python
`;

const SIGNATURE: Signature = {
  name: 'clean',
  doc: '',
  inputs: [
    { name: 'table', type: 'table', required: true },
    { name: 'rate', type: 'number', required: false, default: 0.1 },
  ],
  outputs: [{ name: 'result', type: 'table', required: false }],
  open: false,
  problem: '',
};

function open(key: string) {
  const store = makeEditor('vision:digits', TEXT);
  render(
    <EditorContext value={store}>
      <PythonPane taskKey={key} />
    </EditorContext>,
  );
  const judge = (signatures: Record<string, Signature>, problems: { line: number; params: Record<string, unknown>; message: string }[] = []) => {
    const { text, model } = store.getState().doc;
    const found = problems.map((problem) => ({ severity: 'error', code: 'bad-source', path: `tasks.${key}.source`, column: 1, ...problem }));
    act(() => store.getState().setJudged({ text, problems: found, graph: null, signatures, model }));
  };
  return { store, judge, user: userEvent.setup() };
}

function view() {
  const found = EditorView.findFromDOM(screen.getByRole('textbox'));
  if (!found) throw new Error('There is no editor.');
  return found;
}

function write(at: string, insert: string) {
  act(() => view().dispatch({ changes: { from: view().state.doc.toString().indexOf(at), insert }, userEvent: 'input.type' }));
}

it('shows the code as it is, and writes it back where it stands, comments kept', () => {
  const { store } = open('clean');
  expect(view().state.doc.toString()).toBe('def clean(table):\n    return table\n');
  write('return', 'x = 1\n    ');
  expect(store.getState().doc.text).toBe(TEXT.replace('          return', '          x = 1\n          return'));
  expect(store.getState().history.past.map(({ label }) => label)).toEqual(['Edit the code of clean']);
});

it('follows a change from elsewhere, undo too', () => {
  const { store } = open('clean');
  write('return', 'y = 2\n    ');
  act(() => store.getState().undo());
  expect(view().state.doc.toString()).toBe('def clean(table):\n    return table\n');
});

it('puts back what could not be written while the YAML cannot be read', () => {
  const { store } = open('clean');
  act(() => {
    store.getState().transact('Edit YAML', (doc) => ({ text: doc.text.replace('{table: 1}', '{table: 1') }));
  });
  write('return', 'x');
  expect(view().state.doc.toString()).toBe('def clean(table):\n    return table\n');
  expect(store.getState().refusal).toMatch(/YAML/);
});

it('says the signature, and the last one while the code is wrong', () => {
  const { judge } = open('clean');
  judge({ clean: SIGNATURE });
  expect(screen.getByText('clean', { selector: 'code' }).parentElement).toHaveTextContent(
    'clean takes table table, rate number = 0.1, gives result table',
  );
  judge({}, [{ line: 8, params: { source_line: 2, source_column: 5 }, message: 'Wrong.' }]);
  expect(screen.getByText('clean', { selector: 'code' }).parentElement).toHaveTextContent(/as last read/);
});

it('marks an error on its line of the code, not of the document', async () => {
  const { judge } = open('clean');
  judge({}, [{ line: 8, params: { source_line: 2, source_column: 5 }, message: 'Wrong.' }]);
  const marked: string[] = [];
  forEachDiagnostic(view().state, (_, from, to) => marked.push(view().state.sliceDoc(from, to)));
  expect(marked).toEqual(['return table']);
  expect(screen.getByText('Wrong.', { selector: 'p' })).toHaveTextContent('Line 2: Wrong.');
  requestJump({ key: 'clean', place: 'source', line: 8 });
  await act(() => new Promise((resolve) => setTimeout(resolve, 20)));
  expect(screen.getByRole('textbox')).toHaveFocus();
  expect(view().state.selection.main.head).toBe('def clean(table):\n    '.length);
});

it('offers a first version of the code, as one entry of the history', async () => {
  const { store, user } = open('empty');
  await user.click(screen.getByRole('button', { name: 'Write code' }));
  expect(view().state.doc.toString()).toBe(template('empty', []));
  expect(store.getState().history.past).toHaveLength(1);
});

it('grows into a dialog and back', async () => {
  const { user } = open('clean');
  await user.click(screen.getByRole('button', { name: 'Larger' }));
  expect(screen.getByRole('dialog', { name: 'Code of clean' })).toBeVisible();
  expect(document.querySelectorAll('[id="field-source"]')).toHaveLength(1);
  view().focus();
  await user.keyboard('{Escape}');
  expect(screen.getByRole('dialog')).toBeVisible();
  await user.click(screen.getByRole('button', { name: 'Done' }));
  expect(screen.queryByRole('dialog')).toBeNull();
});

it('the first version takes what the task is given already, by names that Python knows', () => {
  const text = template('train-all', [
    { name: 'class', type: 'integer', required: true },
    { name: 'folder', type: 'folder', required: true },
    { name: 'model', type: 'model', required: true },
  ]);
  expect(text).toContain('from pathlib import Path\nfrom typing import Annotated\n');
  expect(text).toContain('def train_all(class_: int, folder: Annotated[Path, "folder"], model) -> int:');
  expect(text).toContain('    return class_\n');
});
