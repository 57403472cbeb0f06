import { createStore, useStore, type StoreApi } from 'zustand';
import { portFits } from '../graph/ports';
import { inserted } from './canvas/inserted';
import { portAt } from './canvas/linking';
import { spotInView } from './canvas/spots';
import { useEditorStore, type EditorState, type EditorStore } from './store';
import type { JsonMap, Ports, Spot } from './types';

/* A task is asked for in one place (canvas, link, shortcut) and chosen in another (palette, quick-add). */

/** A task to be: the suggested name, and what is written below it. */
export interface Entry {
  readonly name: string;
  readonly entry: JsonMap;
  /** The code location of a block, for a document that names none. */
  readonly location?: string;
}

/** The type under which a dragged entry lies in a DataTransfer, as JSON. */
export const ENTRY_TYPE = 'application/x-orchestrator-entry';

/** A port of a task that is there; null: its order port. */
export interface NewEnd {
  readonly task: string;
  readonly port: string | null;
}

export interface AddRequest {
  /** Where the person points, in the window's pixels; null: in the middle of the canvas. */
  readonly point: Spot | null;
  readonly scope: string | null;
  /** Within the scope; null: where there is room. */
  readonly spot: Spot | null;
  /** What the new task is to be linked with. */
  readonly from: NewEnd | null;
  readonly to: NewEnd | null;
  /** The link that the new task comes into. */
  readonly replaces: string | null;
}

export const ANYWHERE: AddRequest = { point: null, scope: null, spot: null, from: null, to: null, replaces: null };

const open = new WeakMap<EditorStore, StoreApi<{ request: AddRequest | null }>>();

function addingOf(editor: EditorStore): StoreApi<{ request: AddRequest | null }> {
  const found = open.get(editor) ?? createStore(() => ({ request: null as AddRequest | null }));
  open.set(editor, found);
  return found;
}

/** Opens quick-add. */
export function requestAdd(editor: EditorStore, request: AddRequest = ANYWHERE): void {
  addingOf(editor).setState({ request });
}

export function closeAdd(editor: EditorStore): void {
  addingOf(editor).setState({ request: null });
}

/** What quick-add was opened for; null while it is closed. */
export function useAdding(): AddRequest | null {
  return useStore(addingOf(useEditorStore()), (state) => state.request);
}

type Source = Pick<EditorState, 'doc' | 'catalogue' | 'judged'>;

/** Whether a task with these ports can be linked as the request wants. */
export function fitsRequest(ports: Ports, { from, to }: AddRequest, state: Source): boolean {
  const given = from && portAt(state, { task: from.task, side: 'out', name: from.port });
  const wanted = to && portAt(state, { task: to.task, side: 'in', name: to.port });
  const takes = !given || ports.openInputs || ports.inputs.some((port) => portFits(given.type, port));
  const gives = !wanted || ports.openOutputs || ports.outputs.some((port) => portFits(port.type, wanted));
  return takes && gives;
}

/** Adds a task where and linked as the request says, as one entry of the history. */
export function addEntry(editor: EditorStore, entry: Entry, request: AddRequest = ANYWHERE): boolean {
  const { catalogue, judged, transact } = editor.getState();
  const where = { ...request, spot: request.spot ?? spotInView(editor, request) };
  return transact(`Add ${entry.name}`, (doc) => inserted(doc, entry, where, { catalogue, judged }));
}
