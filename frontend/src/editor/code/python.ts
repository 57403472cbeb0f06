import { python } from '@codemirror/lang-python';
import { setDiagnostics } from '@codemirror/lint';
import type { Extension } from '@codemirror/state';
import { EditorView } from '@codemirror/view';
import { setField } from '../document/operations';
import { problemsOf } from '../problems';
import type { EditorState as State, EditorStore } from '../store';
import type { Problem, TaskModel } from '../types';
import { diagnostics, type Spot } from './diagnostics';
import { lock, lockable } from './lock';
import { setup } from './setup';
import { fromDocument, limited, show, textOf } from './sync';

/* The code of one task in CodeMirror: its `source`, as the person wrote it. */

/** What one task may hold; the server reads no more. Bytes of UTF-8. */
const LONGEST = 256 * 1024;

export function pythonExtensions(store: EditorStore, key: string, describedBy: string): Extension {
  const { undo, redo, refuse, readOnly } = store.getState();
  return [
    setup({ label: `Python code of ${key}`, describedBy, indent: 4, undo, redo }),
    EditorView.contentAttributes.of({ id: 'field-source' }),
    python(),
    limited(LONGEST, refuse),
    lockable(readOnly),
    EditorView.updateListener.of(({ transactions, docChanged, state, view }) => {
      if (docChanged && !transactions.some((transaction) => transaction.annotation(fromDocument))) write(view, store, key, textOf(state));
    }),
  ];
}

function write(view: EditorView, store: EditorStore, key: string, text: string): void {
  store.getState().transact(`Edit the code of ${key}`, (doc) => setField(doc, key, ['source'], text), { mark: `source ${key}` });
  // Refused, or written otherwise: what is in the document is what is shown.
  show(view, sourceOf(store.getState(), key));
}

/** The code of a task; empty when it has none. */
export function sourceOf({ doc }: State, key: string): string {
  const source = doc.model.tasks.get(key)?.raw.source;
  return typeof source === 'string' ? source : '';
}

/** Shows in the view what the store holds, from now on. Returns what ends it. */
export function followSource(view: EditorView, store: EditorStore, key: string): () => void {
  let problems: readonly Problem[] | null = null;
  const draw = (state: State, before: State | null) => {
    if (state.doc.model !== before?.doc.model) show(view, sourceOf(state, key));
    if (state.readOnly !== before?.readOnly) lock(view, state.readOnly);
    const now = problemsOf(state);
    if (now === problems) return;
    problems = now;
    view.dispatch(setDiagnostics(view.state, diagnostics(problemsOfSource(state, key), view.state.doc, spotInSource)));
  };
  draw(store.getState(), null);
  return store.subscribe(draw);
}

function problemsOfSource(state: State, key: string): Problem[] {
  const task = state.doc.model.tasks.get(key);
  return problemsOf(state).filter((problem) => task && isOfSource(problem, task));
}

/** Whether a problem is one of the code of this task. */
export function isOfSource({ path }: Problem, task: TaskModel): boolean {
  return path === `${task.path}.source`;
}

/** Where in the code a problem is; the server says it beside the place in the document. */
export function spotInSource({ params }: Problem): Spot {
  return { line: numberOf(params.source_line), column: numberOf(params.source_column) };
}

function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : 1;
}

/** Puts the cursor at the first problem, or only into the code. */
export function enterSource(view: EditorView, store: EditorStore, key: string): void {
  const [problem] = problemsOfSource(store.getState(), key);
  view.focus();
  if (!problem) return;
  const { line, column } = spotInSource(problem);
  const { from, to } = view.state.doc.line(Math.min(line, view.state.doc.lines));
  view.dispatch({ selection: { anchor: Math.min(from + column - 1, to) }, scrollIntoView: true });
}
