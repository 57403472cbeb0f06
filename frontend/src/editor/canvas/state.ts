import { createStore, useStore, type StoreApi } from 'zustand';
import { useEditorStore, type EditorStore } from '../store';
import type { Scene } from './scene';
import type { CanvasCamera } from './useCamera';

/* What one editor's canvas looks like now, beside the document: nothing of it is saved or undone. */

export interface PortRef {
  readonly task: string;
  readonly side: 'in' | 'out';
  /** Null for the order port. */
  readonly name: string | null;
}

/** What a link may be dropped on: a port, or a card as a whole. */
export interface Target {
  readonly task: string;
  readonly side: 'in' | 'out' | 'card';
  readonly name: string | null;
}

/** A link that is being made. */
export interface Linking {
  readonly from: PortRef;
  /** drag: until the button is let go · click: until another port is clicked · keys: until Enter */
  readonly by: 'drag' | 'click' | 'keys';
  /** Every port that can be linked with it, by `idOf`. */
  readonly fitting: ReadonlyMap<string, PortRef>;
  /** What the pointer or the arrows are at. */
  readonly at: Target | null;
  /** Why it cannot be linked there. */
  readonly refusal: string | null;
}

/** Inputs (or outputs) to choose among, after a link was dropped on a card. */
export interface Choice {
  readonly from: PortRef;
  readonly options: readonly PortRef[];
  /** In the window, in pixels. */
  readonly point: { readonly x: number; readonly y: number };
}

export interface CanvasState {
  /** Where the arrow keys stand. */
  active: string | null;
  /** Tasks of which all outputs are shown. */
  opened: ReadonlySet<string>;
  linking: Linking | null;
  choice: Choice | null;
  /** The note that is being written. */
  writing: string | null;
  /** Drags on empty canvas draw a box instead of moving the camera. */
  boxing: boolean;
  /** What is drawn; null while no canvas is shown. */
  scene: Scene | null;
  camera: CanvasCamera | null;
}

export type CanvasStore = StoreApi<CanvasState>;

const canvases = new WeakMap<EditorStore, CanvasStore>();

/** The canvas of an editor; commands and cards share it. */
export function canvasOf(editor: EditorStore): CanvasStore {
  const found =
    canvases.get(editor) ??
    createStore<CanvasState>(() => ({ active: null, opened: new Set(), linking: null, choice: null, writing: null, boxing: false, scene: null, camera: null }));
  canvases.set(editor, found);
  return found;
}

export function useCanvasStore(): CanvasStore {
  return canvasOf(useEditorStore());
}

export function useCanvas<T>(select: (state: CanvasState) => T): T {
  return useStore(useCanvasStore(), select);
}

/** One word for a port, to be looked up. */
export function idOf({ task, side, name }: Target): string {
  return `${task} ${side} ${name ?? ''}`;
}

export function samePort(one: Target | null, other: Target | null): boolean {
  return one === other || (one !== null && other !== null && idOf(one) === idOf(other));
}
