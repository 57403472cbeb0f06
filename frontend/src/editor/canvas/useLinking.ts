import { useCallback, useEffect, useEffectEvent, type PointerEvent as ReactPointerEvent } from 'react';
import { useEditorStore, type EditorStore } from '../store';
import { beginLinking, endLinking, link, linkWithCard, optionsOf, refusalOf, wordsOf } from './linking';
import { canvasOf, samePort, useCanvas, useCanvasStore, type Linking, type PortRef, type Target } from './state';

export interface Pointer {
  x: number;
  y: number;
}

/** Pixels that a press may wander and still be a click. */
const STILL = 4;

/** The port at an element. */
export function portUnder(element: Element | null): PortRef | null {
  const port = element?.closest<HTMLElement>('[data-port]');
  if (!port) return null;
  const { port: side, task = '', name = '' } = port.dataset;
  return { task, side: side === 'in' ? 'in' : 'out', name: name === '' ? null : name };
}

function targetUnder({ x, y }: Pointer): Target | null {
  const element = document.elementFromPoint(x, y);
  const card = element?.closest('[role="group"][id^="card-"]');
  return portUnder(element) ?? (card ? { task: card.id.slice('card-'.length), side: 'card', name: null } : null);
}

/** A press on a port begins a link: dragged to its end, or ended by a click on another port. */
export function useBeginByPointer(): (event: ReactPointerEvent) => void {
  const store = useEditorStore();
  return useCallback(
    (event) => {
      const port = event.button === 0 && event.target instanceof Element ? portUnder(event.target) : null;
      if (!port || canvasOf(store).getState().linking?.by === 'click') return;
      if (store.getState().readOnly) store.getState().refuse('This pipeline is shown for reading only.');
      else beginLinking(store, port, 'drag');
    },
    [store],
  );
}

/** Follows the pointer while a link is made with it. `moved` is told where it is; `onEmpty` where it was dropped on nothing. */
export function usePointerLink(moved: (pointer: Pointer) => void, onEmpty: (from: PortRef, pointer: Pointer) => void): void {
  const store = useEditorStore();
  const canvas = useCanvasStore();
  const by = useCanvas(({ linking }) => linking?.by ?? null);
  const told = useEffectEvent(moved);
  const dropped = useEffectEvent(onEmpty);
  useEffect(() => {
    if (by !== 'drag' && by !== 'click') return;
    let start: Pointer | null = null;
    const follow = (event: PointerEvent) => {
      const pointer = { x: event.clientX, y: event.clientY };
      start ??= pointer;
      told(pointer);
      look(store, targetUnder(pointer));
    };
    const release = (event: PointerEvent) => {
      const { linking } = canvas.getState();
      const pointer = { x: event.clientX, y: event.clientY };
      if (!linking) return;
      if (by === 'drag' && isClick(linking, pointer, start)) {
        canvas.setState({ linking: { ...linking, by: 'click' } });
        return;
      }
      endLinking(store);
      drop(store, linking, pointer, (from, at) => dropped(from, at));
    };
    const press = (event: PointerEvent) => {
      if (by !== 'click') return;
      event.preventDefault();
      event.stopPropagation();
    };
    const escape = (event: KeyboardEvent) => {
      if (event.key !== 'Escape') return;
      event.stopPropagation();
      endLinking(store);
      store.getState().say('No link was made.');
    };
    window.addEventListener('pointermove', follow);
    window.addEventListener('pointerup', release);
    window.addEventListener('pointerdown', press, true);
    window.addEventListener('keydown', escape, true);
    return () => {
      window.removeEventListener('pointermove', follow);
      window.removeEventListener('pointerup', release);
      window.removeEventListener('pointerdown', press, true);
      window.removeEventListener('keydown', escape, true);
    };
  }, [by, store, canvas]);
}

function isClick({ from }: Linking, pointer: Pointer, start: Pointer | null): boolean {
  const at = targetUnder(pointer);
  if (start === null) return true;
  return samePort(at, from) && Math.hypot(pointer.x - start.x, pointer.y - start.y) <= 5 * STILL;
}

/** Judges what the pointer is at, and says why not as soon as it is there. */
function look(store: EditorStore, at: Target | null): void {
  const canvas = canvasOf(store);
  const { linking } = canvas.getState();
  if (!linking || samePort(linking.at, at)) return;
  const refusal = at === null || samePort(at, linking.from) ? null : judgeTarget(store, linking.from, at);
  canvas.setState({ linking: { ...linking, at, refusal } });
  if (refusal !== null) store.getState().say(refusal);
}

function judgeTarget(store: EditorStore, from: PortRef, at: Target): string | null {
  if (isPort(at)) return refusalOf(store.getState(), from, at);
  const options = at.task === from.task ? null : optionsOf(store.getState(), from, at.task);
  return typeof options === 'string' ? options : null;
}

function isPort(target: Target): target is PortRef {
  return target.side !== 'card';
}

function drop(store: EditorStore, { from }: Linking, pointer: Pointer, onEmpty: (from: PortRef, pointer: Pointer) => void): void {
  const at = targetUnder(pointer);
  if (at === null) {
    const pane = document.elementFromPoint(pointer.x, pointer.y)?.closest('.react-flow__pane');
    if (pane) onEmpty(from, pointer);
  } else if (isPort(at)) {
    if (!samePort(at, from)) link(store, from, at);
  } else if (at.task !== from.task) linkWithCard(store, from, at.task, pointer);
}

/** What releasing here would do, in words. */
export function hintOf({ from, at, refusal }: Linking): string {
  if (refusal !== null) return refusal;
  if (at === null || samePort(at, from)) return wordsOf(from);
  const other = at.side === 'card' ? wordsOf({ task: at.task, side: 'in', name: null }) : wordsOf(at as PortRef);
  return from.side === 'out' ? `${wordsOf(from)} → ${other}` : `${other} → ${wordsOf(from)}`;
}
