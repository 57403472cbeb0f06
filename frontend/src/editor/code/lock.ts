import { Compartment, EditorState, type Extension } from '@codemirror/state';
import type { EditorView } from '@codemirror/view';

const locked = new Compartment();

/** An editor that can be made readable only. It stays focusable, so that it can be read by keyboard. */
export function lockable(readOnly: boolean): Extension {
  return locked.of(EditorState.readOnly.of(readOnly));
}

export function lock(view: EditorView, readOnly: boolean): void {
  if (view.state.readOnly !== readOnly) view.dispatch({ effects: locked.reconfigure(EditorState.readOnly.of(readOnly)) });
}
