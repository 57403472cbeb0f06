import type { Extension } from '@codemirror/state';
import { type EditorView, runScopeHandlers, ViewPlugin } from '@codemirror/view';

/* Tab indents, so there must be a way out for the keyboard: Escape, then Tab. */

/** Milliseconds that a person has for the second key. CodeMirror's own two seconds are short with a screen reader. */
const LEAVE = 10_000;

class Leaving {
  private readonly view: EditorView;

  constructor(view: EditorView) {
    this.view = view;
    view.dom.addEventListener('keydown', this.pressed);
  }

  destroy() {
    this.view.dom.removeEventListener('keydown', this.pressed);
  }

  private readonly pressed = (event: KeyboardEvent) => {
    if (event.key !== 'Escape') return;
    // A dialog around has kept Escape from closing it, and CodeMirror passes over such events.
    const inPanel = event.target instanceof Element && event.target.closest('.cm-panel');
    if (event.defaultPrevented) runScopeHandlers(this.view, event, inPanel ? 'search-panel' : 'editor');
    setTimeout(() => this.view.setTabFocusMode(LEAVE));
  };
}

export const leaving: Extension = ViewPlugin.fromClass(Leaving);
