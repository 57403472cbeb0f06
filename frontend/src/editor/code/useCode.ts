import { EditorState, type Extension } from '@codemirror/state';
import { EditorView } from '@codemirror/view';
import { useEffect, useRef, useState, type RefObject } from 'react';
import { lineEnds } from './sync';

/**
 * A CodeMirror editor inside of an element. Both functions are asked once; what changes later goes through the view.
 * The view is null until the element is there.
 */
export function useCode(text: () => string, make: () => Extension): [RefObject<HTMLDivElement | null>, EditorView | null] {
  const place = useRef<HTMLDivElement>(null);
  const [view, setView] = useState<EditorView | null>(null);
  const first = useRef({ text, make });
  useEffect(() => {
    if (!place.current) return undefined;
    const doc = first.current.text();
    const extensions = [EditorState.lineSeparator.of(lineEnds(doc)), first.current.make()];
    const state = EditorState.create({ doc, extensions });
    const made = new EditorView({ state, parent: place.current });
    setView(made);
    return () => made.destroy();
  }, []);
  return [place, view];
}
