import { yamlLanguage } from '@codemirror/lang-yaml';
import { LanguageSupport } from '@codemirror/language';
import { setDiagnostics } from '@codemirror/lint';
import type { Extension } from '@codemirror/state';
import { EditorView, keymap } from '@codemirror/view';
import { farTooDeep } from '../document/yaml/depth';
import { around, problemsOf } from '../problems';
import type { EditorState as State, EditorStore } from '../store';
import type { TaskModel } from '../types';
import { completion } from './complete';
import { diagnostics } from './diagnostics';
import { hanging } from './hanging';
import { lock, lockable } from './lock';
import { markTasks, selectedTasks } from './marks';
import { setup } from './setup';
import { fromDocument, limited, LONGEST, show, textOf } from './sync';

/* The document's text in CodeMirror. Typing goes into the store, what changes elsewhere comes from it. */

/** YAML for its colours and folds. A text that is far too deep has none: its tree would be walked by recursion. */
const language = yamlLanguage.configure({
  wrap: (parse, input) => {
    if (farTooDeep(input.read(0, input.length)) !== null) parse.stopAt(0);
    return parse;
  },
});

/** Everything the YAML editor is made of. `describedBy`: id of the sentence about Tab. */
export function yamlExtensions(store: EditorStore, describedBy: string): Extension {
  const { undo, redo, refuse, readOnly } = store.getState();
  return [
    keymap.of([{ key: 'Enter', run: goDeeper }]),
    setup({ label: 'YAML of the pipeline', describedBy, indent: 2, undo, redo }),
    new LanguageSupport(language),
    language.data.of({ autocomplete: completion(store.getState) }),
    hanging,
    selectedTasks,
    limited(LONGEST, refuse),
    lockable(readOnly),
    EditorView.updateListener.of(({ transactions, docChanged, selectionSet, state, view }) => {
      if (transactions.some((transaction) => transaction.annotation(fromDocument))) return;
      if (docChanged) write(store, textOf(state));
      if ((docChanged || selectionSet) && view.hasFocus) selectAround(view, store);
    }),
  ];
}

/** A key without a value, or one whose text begins on the next line. */
const OPENS = /^\s*(- +)*[^\s#'"][^#]*:\s*([|>][-+0-9]*\s*)?$/;

/** What belongs to a key begins further in than the key. */
function goDeeper(view: EditorView): boolean {
  const { state } = view;
  const { head, empty } = state.selection.main;
  const { text, to } = state.doc.lineAt(head);
  if (!empty || head !== to || state.readOnly || !OPENS.test(text)) return false;
  const insert = state.lineBreak + ' '.repeat((/^\s*(- +)*/.exec(text)?.[0].length ?? 0) + 2);
  view.dispatch(state.replaceSelection(insert), { scrollIntoView: true, userEvent: 'input' });
  return true;
}

function write(store: EditorStore, text: string): void {
  store.getState().transact('Edit YAML', () => ({ text }), { mark: 'yaml' });
}

/** Selects the task that the cursor is in; outside of tasks, nothing. */
function selectAround({ state }: EditorView, store: EditorStore): void {
  const { doc, selection, select } = store.getState();
  if (doc.broken.length > 0) return;
  const task = around(state.doc.lineAt(state.selection.main.head).number, doc.model);
  const wanted = task ? [task.key] : [];
  if (selection.size !== wanted.length || !wanted.every((key) => selection.has(key))) select(wanted);
}

/** Shows in the view what the store holds, from now on. Returns what ends it. */
export function follow(view: EditorView, store: EditorStore): () => void {
  const draw = (state: State, before: State | null) => {
    const changed = state.doc.text !== before?.doc.text && state.doc.text !== textOf(view.state);
    if (changed) show(view, state.doc.text, isStep(state, before));
    if (state.readOnly !== before?.readOnly) lock(view, state.readOnly);
    drawProblems(state);
    drawSelection(state, before);
  };
  let problems: unknown = null;
  const drawProblems = (state: State) => {
    const now = problemsOf(state);
    if (now === problems) return;
    problems = now;
    view.dispatch(setDiagnostics(view.state, diagnostics(now, view.state.doc)));
  };
  const drawSelection = (state: State, before: State | null) => {
    const moved = state.selection !== before?.selection;
    if (state.doc.broken.length > 0 || (!moved && state.doc.model === before.doc.model)) return;
    const tasks = selectedOf(state);
    markTasks(view, tasks);
    const [only] = tasks;
    if (moved && only && tasks.length === 1 && !view.hasFocus) reveal(view, only.line, 'nearest');
  };
  draw(store.getState(), null);
  return store.subscribe(draw);
}

/** Undo and redo bring the cursor to what they changed. */
function isStep(state: State, before: State | null): boolean {
  if (!before) return false;
  const [now, then] = [state.history, before.history];
  return now.past.length < then.past.length || now.future.length < then.future.length;
}

function selectedOf({ selection, doc }: State): TaskModel[] {
  return [...selection].map((key) => doc.model.tasks.get(key)).filter((task) => task !== undefined);
}

/** Brings a line into view, without moving the cursor. */
export function reveal(view: EditorView, line: number, where: 'nearest' | 'center'): void {
  const { from } = view.state.doc.line(Math.min(Math.max(line, 1), view.state.doc.lines));
  view.dispatch({ effects: EditorView.scrollIntoView(from, { y: where, yMargin: 48 }) });
}

/** Puts the cursor at the beginning of what is written on a line. */
export function enter(view: EditorView, line: number): void {
  const { from, text } = view.state.doc.line(Math.min(Math.max(line, 1), view.state.doc.lines));
  view.focus();
  view.dispatch({ selection: { anchor: from + text.length - text.trimStart().length } });
  reveal(view, line, 'center');
}
