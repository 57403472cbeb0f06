import { acceptCompletion, autocompletion } from '@codemirror/autocomplete';
import { defaultKeymap, indentLess, indentMore } from '@codemirror/commands';
import { bracketMatching, codeFolding, foldGutter, foldKeymap, indentOnInput, indentUnit } from '@codemirror/language';
import { lintGutter, nextDiagnostic, previousDiagnostic } from '@codemirror/lint';
import { findNext, findPrevious, openSearchPanel, search, searchKeymap } from '@codemirror/search';
import { EditorSelection, EditorState, type Extension } from '@codemirror/state';
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  highlightSpecialChars,
  keymap,
  lineNumbers,
  type KeyBinding,
} from '@codemirror/view';
import { pageNonce } from '../../ui/nonce';
import { leaving } from './leaving';
import { theme } from './theme';

export const TAB_HINT = 'Tab indents. To leave with Tab, press Escape first.';

interface Wishes {
  /** Accessible name. */
  label: string;
  /** Id of the sentence that says how Tab leaves. */
  describedBy: string;
  indent: 2 | 4;
  undo: () => void;
  redo: () => void;
}

/** What both code panes are made of. Undo is the document's, not CodeMirror's own. */
export function setup({ label, describedBy, indent, undo, redo }: Wishes): Extension {
  return [
    nonce(),
    EditorView.contentAttributes.of({ 'aria-label': label, 'aria-describedby': describedBy, spellcheck: 'false', tabindex: '0' }),
    lineNumbers(),
    highlightSpecialChars({ addSpecialChars: /[\u202a-\u202c\u2068]/g }),
    foldGutter(),
    codeFolding(),
    lintGutter(),
    drawSelection(),
    highlightActiveLine(),
    highlightActiveLineGutter(),
    bracketMatching(),
    indentOnInput(),
    indentUnit.of(' '.repeat(indent)),
    EditorState.tabSize.of(indent),
    search({ top: true }),
    autocompletion({ icons: false }),
    leaving,
    steps(undo, redo),
    keymap.of([...keys(indent), ...foldKeymap, ...searchKeymap.filter(plain), ...defaultKeymap]),
    theme,
  ];
}

/** For the style sheet that CodeMirror adds. */
function nonce(): Extension {
  const value = pageNonce();
  return value ? EditorView.cspNonce.of(value) : [];
}

/** Search keys that belong to the editor around are left to it. */
function plain({ key }: KeyBinding): boolean {
  return !['Mod-f', 'Mod-g', 'F3', 'Mod-d'].includes(key ?? '');
}

function keys(indent: number): KeyBinding[] {
  return [
    { key: 'Mod-f', run: openSearchPanel, scope: 'editor search-panel', stopPropagation: true },
    { key: 'Mod-g', run: findNext, shift: findPrevious, scope: 'editor search-panel', stopPropagation: true },
    { key: 'F3', run: findNext, shift: findPrevious, scope: 'editor search-panel' },
    { key: 'F8', run: nextDiagnostic, shift: previousDiagnostic },
    { key: 'Tab', run: (view) => acceptCompletion(view) || insertSpaces(view, indent), shift: indentLess },
  ];
}

function insertSpaces(view: EditorView, indent: number): boolean {
  const { state } = view;
  if (state.selection.ranges.some((range) => !range.empty)) return indentMore(view);
  view.dispatch(
    state.changeByRange(({ head }) => {
      const column = head - state.doc.lineAt(head).from;
      const insert = ' '.repeat(indent - (column % indent));
      return { changes: { from: head, insert }, range: EditorSelection.cursor(head + insert.length) };
    }),
    { scrollIntoView: true, userEvent: 'input.indent' },
  );
  return true;
}

/** Undo and redo by key and by the browser's menu. */
function steps(undo: () => void, redo: () => void): Extension {
  const does = (act: () => void) => () => {
    act();
    return true;
  };
  return [
    keymap.of([
      { key: 'Mod-z', run: does(undo), shift: does(redo), preventDefault: true, stopPropagation: true },
      { key: 'Mod-y', run: does(redo), preventDefault: true, stopPropagation: true },
    ]),
    EditorView.domEventHandlers({
      beforeinput: (event) => {
        const act = { historyUndo: undo, historyRedo: redo }[event.inputType];
        act?.();
        return act !== undefined;
      },
    }),
  ];
}
