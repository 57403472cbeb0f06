import type { NodeProps } from '@xyflow/react';
import { memo, type FocusEvent, type KeyboardEvent } from 'react';
import { useActiveDescendant } from '../../canvas/activeDescendant';
import { setNote } from '../document/operations';
import { useEditorStore } from '../store';
import type { NoteNode } from './scene';
import { useCanvas, useCanvasStore } from './state';
import css from './NoteCard.module.css';

/** Words beside the tasks. Enter or a double click writes; Escape, or a click elsewhere, ends it. */
export const NoteCard = memo(function NoteCard({ id, data, selected }: NodeProps<NoteNode>) {
  const active = useCanvas((state) => state.active === id);
  const writing = useCanvas((state) => state.writing === id);
  const card = useActiveDescendant(active);
  return (
    <div
      ref={card}
      id={`card-${id}`}
      className={css.note}
      role="note"
      aria-label={`Note: ${data.text || 'empty'}`}
      data-active={active || undefined}
      data-selected={selected || undefined}
    >
      {writing ? <Writing id={id} text={data.text} /> : data.text || <em>Empty note</em>}
    </div>
  );
});

function Writing({ id, text }: { id: string; text: string }) {
  const store = useEditorStore();
  const canvas = useCanvasStore();
  const end = ({ currentTarget: { value } }: FocusEvent<HTMLTextAreaElement>) => {
    canvas.setState({ writing: null });
    if (value === text) return;
    store.getState().transact('Write a note', (doc) => {
      const note = doc.layout.notes[id];
      return note ? setNote(doc, id, { ...note, text: value }) : null;
    });
  };
  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    if (event.key !== 'Escape') return;
    event.stopPropagation();
    event.currentTarget.closest<HTMLElement>('.react-flow')?.focus({ preventScroll: true });
  };
  return <textarea className="nodrag nowheel nopan" aria-label="Text of the note" autoFocus defaultValue={text} onBlur={end} onKeyDown={onKeyDown} />;
}
