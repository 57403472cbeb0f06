import { Annotation, type ChangeSpec, EditorState, type Extension, type Text } from '@codemirror/state';
import type { EditorView } from '@codemirror/view';

/* The text of CodeMirror and the text of the document, kept equal both ways. Both are exact: line ends too. */

/** Marks a change that came from the document and must not go back to it. */
export const fromDocument = Annotation.define<true>();

/** What a document may hold; the server reads no more. Bytes of UTF-8. */
export const LONGEST = 2 * 1024 * 1024;

/** Lines end as the text has them; where they are mixed, a return sign is shown as what it is. */
export function lineEnds(text: string): string {
  return text.includes('\r\n') && !/(^|[^\r])\n/.test(text) ? '\r\n' : '\n';
}

/** The text as it is written, with its own line ends. */
export function textOf(state: EditorState): string {
  return state.sliceDoc();
}

/** The one change between two texts: what is equal at the beginning and at the end stays. Null when nothing differs. */
export function difference(before: Text, after: Text): { from: number; to: number; insert: Text } | null {
  if (before.eq(after)) return null;
  const [old, now] = [before.toString(), after.toString()];
  const most = Math.min(old.length, now.length);
  let head = 0;
  while (head < most && old.charCodeAt(head) === now.charCodeAt(head)) head++;
  let tail = 0;
  while (tail < most - head && old.charCodeAt(old.length - 1 - tail) === now.charCodeAt(now.length - 1 - tail)) tail++;
  return { from: head, to: old.length - tail, insert: after.slice(head, now.length - tail) };
}

/** Brings the view to a text of the document. Cursor and scroll stay, or go to the change when asked. */
export function show(view: EditorView, text: string, goThere = false): void {
  const change = difference(view.state.doc, view.state.toText(text));
  if (!change) return;
  const end = change.from + change.insert.length;
  view.dispatch({
    changes: change satisfies ChangeSpec,
    annotations: fromDocument.of(true),
    ...(goThere && view.hasFocus ? { selection: { anchor: end }, scrollIntoView: true } : {}),
  });
}

/** Refuses, before anything reads it, what would make the text longer than a document may be. */
export function limited(longest: number, refuse: (why: string) => void): Extension {
  return EditorState.changeFilter.of((transaction) => {
    const length = transaction.newDoc.length;
    if (transaction.annotation(fromDocument) || length <= transaction.startState.doc.length || length * 3 <= longest) return true;
    if (length <= longest && bytesOf(transaction.newDoc) <= longest) return true;
    refuse(
      `That would make the text longer than ${(longest / 1024).toLocaleString('en')} KiB, which is all that is read. ` +
        'Move long code into the code location, and data into files.',
    );
    return false;
  });
}

function bytesOf(text: Text): number {
  return new TextEncoder().encode(text.toString()).length;
}
