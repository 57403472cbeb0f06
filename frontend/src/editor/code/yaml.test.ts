import { EditorState } from '@codemirror/state';
import { EditorView, runScopeHandlers } from '@codemirror/view';
import { forEachDiagnostic } from '@codemirror/lint';
import { afterEach, describe, expect, it } from 'vitest';
import { makeEditor, type EditorStore } from '../store';
import { difference, lineEnds, LONGEST, textOf } from './sync';
import { follow, yamlExtensions } from './yaml';

const TEXT = `name: digits
# how it is trained
tasks:
  ingest:
    kind: python
    run: digits:ingest # reads
  train:
    kind: python
    run: digits:train
    with: {rate: 0.1}
`;

let end: () => void = () => undefined;
afterEach(() => end());

function open(text = TEXT) {
  const store = makeEditor('vision:digits', text);
  const extensions = [EditorState.lineSeparator.of(lineEnds(text)), yamlExtensions(store, 'hint')];
  const view = new EditorView({ state: EditorState.create({ doc: text, extensions }), parent: document.body });
  const stop = follow(view, store);
  end = () => {
    stop();
    view.destroy();
  };
  return { store, view };
}

function type(view: EditorView, before: string, insert: string) {
  const at = view.state.doc.toString().indexOf(before);
  view.dispatch({ changes: { from: at, insert }, selection: { anchor: at + insert.length }, userEvent: 'input.type' });
}

function edit(store: EditorStore, from: string, to: string) {
  store.getState().transact('Edit', (doc) => ({ text: doc.text.replace(from, to) }));
}

const markedLines = (view: EditorView) => view.dom.querySelectorAll('.cm-ofSelectedTask').length;

function marks(view: EditorView) {
  const found: [string, string][] = [];
  forEachDiagnostic(view.state, ({ message }, from, to) => found.push([view.state.sliceDoc(from, to), message]));
  return found;
}

describe('typing', () => {
  it('changes the document, comments and all, and is one entry of the history', () => {
    const { store, view } = open();
    type(view, '0.1', '2');
    type(view, '0.1', '3');
    expect(store.getState().doc.text).toBe(TEXT.replace('0.1', '230.1'));
    expect(store.getState().doc.model.tasks.get('train')?.raw.with).toEqual({ rate: 230.1 });
    expect(store.getState().history.past.map(({ label }) => label)).toEqual(['Edit YAML']);
    store.getState().undo();
    expect(textOf(view.state)).toBe(TEXT);
  });

  it('keeps the last good graph while the text cannot be read, and underlines why', () => {
    const { store, view } = open();
    type(view, 'rate: 0.1}', '[');
    const { doc } = store.getState();
    expect([...doc.model.tasks.keys()]).toEqual(['ingest', 'train']);
    expect(doc.broken).not.toEqual([]);
    expect(marks(view)[0]?.[1]).toBe(doc.broken[0]?.message);
    store.getState().undo();
    expect(marks(view)).toEqual([]);
  });

  it('keeps line ends as they are', () => {
    const text = TEXT.replaceAll('\n', '\r\n');
    const { store, view } = open(text);
    type(view, '0.1', '2');
    expect(store.getState().doc.text).toBe(text.replace('0.1', '20.1'));
  });

  it('keeps mixed line ends as they are', () => {
    const text = TEXT.replace('\n', '\r\n');
    const { store, view } = open(text);
    type(view, '0.1', '2');
    expect(store.getState().doc.text).toBe(text.replace('0.1', '20.1'));
  });

  it('goes further in behind a key without a value', () => {
    const { store, view } = open('tasks:\n  train:');
    view.dispatch({ selection: { anchor: view.state.doc.length } });
    runScopeHandlers(view, new KeyboardEvent('keydown', { key: 'Enter' }), 'editor');
    expect(store.getState().doc.text).toBe('tasks:\n  train:\n    ');
  });

  it('is refused in words when the text would become longer than a document may be', () => {
    const { store, view } = open();
    type(view, 'tasks:', `# ${'x'.repeat(LONGEST)}\n`);
    expect(textOf(view.state)).toBe(TEXT);
    expect(store.getState().doc.text).toBe(TEXT);
    expect(store.getState().refusal).toMatch(/2,048 KiB/);
    type(view, 'tasks:', '# é\n');
    expect(store.getState().doc.text).toContain('# é');
  });

  it('cannot happen in a document that is shown for reading', () => {
    const { store, view } = open();
    store.getState().load(TEXT, { tasks: {}, notes: {} }, true);
    expect(view.state.readOnly).toBe(true);
  });
});

describe('a change from elsewhere', () => {
  it('comes as the smallest change, and the cursor stays with its word', () => {
    const { store, view } = open();
    const at = TEXT.indexOf('train:');
    view.dispatch({ selection: { anchor: at } });
    edit(store, 'digits:ingest', 'digits:load_everything');
    expect(textOf(view.state)).toBe(store.getState().doc.text);
    const { head } = view.state.selection.main;
    expect(view.state.sliceDoc(head, head + 6)).toBe('train:');
    expect(store.getState().history.past).toHaveLength(1);
  });

  it('is one splice between the equal beginning and the equal end', () => {
    const state = EditorState.create();
    const change = difference(state.toText('abcabc'), state.toText('abcXabc'));
    expect(change && [change.from, change.to, change.insert.toString()]).toEqual([3, 3, 'X']);
    expect(difference(state.toText('aaa'), state.toText('aa'))).toMatchObject({ from: 2, to: 3 });
    expect(difference(state.toText('a'), state.toText('a'))).toBeNull();
  });
});

describe('the selection', () => {
  it('of a task marks its lines', () => {
    const { store, view } = open();
    store.getState().select(['ingest']);
    expect(markedLines(view)).toBe(3);
    store.getState().select([]);
    expect(markedLines(view)).toBe(0);
  });

  it('follows the cursor, and what is around no task selects nothing', () => {
    const { store, view } = open();
    view.focus();
    view.dispatch({ selection: { anchor: TEXT.indexOf('digits:train') } });
    expect([...store.getState().selection]).toEqual(['train']);
    view.dispatch({ selection: { anchor: 0 } });
    expect([...store.getState().selection]).toEqual([]);
  });
});

describe('problems of the server', () => {
  it('stand under what is written at their place', () => {
    const { store, view } = open();
    const problem = { severity: 'error', code: 'unknown-block', path: 'tasks.ingest.run', line: 6, column: 10, message: 'No such block.', params: {} };
    const { text, model } = store.getState().doc;
    store.getState().setJudged({ text, problems: [problem], graph: null, signatures: {}, model });
    expect(marks(view)).toEqual([['digits:ingest', 'No such block.']]);
    edit(store, '# how it is trained\n', '');
    expect(marks(view)).toEqual([['digits:ingest', 'No such block.']]);
    edit(store, 'digits:ingest', 'digits:load');
    expect(marks(view)).toEqual([]);
  });
});

describe('a hostile text', () => {
  const paste = (text: string) => {
    const { store, view } = open();
    view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: view.state.toText(text) }, userEvent: 'input.paste' });
    return { store, view };
  };

  it.each([
    ['brackets inside each other', `a: ${'['.repeat(50_000)}`],
    ['mappings inside each other', Array.from({ length: 100 }, (_, depth) => `${' '.repeat(depth)}k:`).join('\n')],
    ['a NUL', 'name: a\0b\n'],
    ['half a character', 'name: \ud800\n'],
  ])('of %s is told in words, and the last good graph stays', (_, text) => {
    const { store, view } = paste(text);
    const { doc } = store.getState();
    expect(textOf(view.state)).toBe(text);
    expect(doc.text).toBe(text);
    expect([...doc.model.tasks.keys()]).toEqual(['ingest', 'train']);
    expect(doc.broken[0]?.message).not.toBe('');
    expect(marks(view)[0]?.[1]).toBe(doc.broken[0]?.message);
  });

  it.each([
    ['marks that turn the direction of writing', 'title: "\\u202eabc"\n# \u05d0\u05d1\n'],
    ['characters of two units', 'title: 😀👩‍👩‍👧 Ⅷ\ntasks: {a: {kind: 😀}}\n'],
    ['a very long line', `title: ${'x '.repeat(100_000)}\n`],
    ['many lines', '# x\n'.repeat(100_000)],
  ])('of %s is kept as it is', (_, text) => {
    const { store, view } = paste(text);
    expect(textOf(view.state)).toBe(text);
    expect(store.getState().doc.text).toBe(text);
    store.getState().undo();
    expect(textOf(view.state)).toBe(TEXT);
  });

  it('underlines by characters, as the server counts them', () => {
    const { store, view } = paste('title: 😀😀 wrong\n');
    const { text, model } = store.getState().doc;
    const problem = { severity: 'error', code: 'x', path: 'title', line: 1, column: 11, message: 'No.', params: {} };
    store.getState().setJudged({ text, problems: [problem], graph: null, signatures: {}, model });
    expect(marks(view)).toEqual([['wrong', 'No.']]);
  });
});
