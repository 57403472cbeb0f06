import { useReactFlow } from '@xyflow/react';
import { useCallback, useEffect, useRef } from 'react';
import { freePathOf } from '../../graph/route';
import { Menu, MenuItem, MenuText } from '../../ui/Menu';
import { requestAdd } from '../adding';
import { useEditorStore } from '../store';
import { link, portAt, wordsOf } from './linking';
import { cornerOf, scopeAt } from './spots';
import { useCanvas, useCanvasStore, type PortRef, type Target } from './state';
import { hintOf, usePointerLink, type Pointer } from './useLinking';
import css from './LinkLayer.module.css';

/** The link that is being made: its line, what it would do, and the choice among several inputs. */
export function LinkLayer() {
  const linking = useCanvas((state) => state.linking);
  const surface = useRef<HTMLDivElement>(null);
  const pointer = useRef<Pointer | null>(null);
  const draw = useCallback(() => {
    const { current } = surface;
    if (current && linking) drawLine(current, linking.from, linking.by === 'keys' ? middleOf(linking.at) : pointer.current);
  }, [linking]);
  const moved = useCallback((to: Pointer) => {
    pointer.current = to;
    draw();
  }, [draw]);
  usePointerLink(moved, useAddAtEnd());
  useEffect(draw);
  return (
    <>
      <div ref={surface} className={css.layer} hidden={linking === null} aria-hidden>
        <svg className={css.line}>
          <path />
        </svg>
        {linking && (
          <span className={css.hint} data-refused={linking.refusal !== null || undefined}>
            {hintOf(linking)}
          </span>
        )}
      </div>
      <ChoiceMenu />
    </>
  );
}

/** A link that is dropped on nothing asks for the task at its other end. */
function useAddAtEnd() {
  const store = useEditorStore();
  const canvas = useCanvasStore();
  const { screenToFlowPosition } = useReactFlow();
  return useCallback(
    (from: PortRef, point: Pointer) => {
      const { doc, folded } = store.getState();
      const { scene } = canvas.getState();
      if (!scene) return;
      const { spot } = scopeAt(cornerOf(screenToFlowPosition(point)), doc.model, scene.places, folded);
      const scope = doc.model.tasks.get(from.task)?.parent ?? null;
      const under = scopeAt(screenToFlowPosition(point), doc.model, scene.places, folded);
      const end = { task: from.task, port: from.name };
      requestAdd(store, {
        point,
        scope,
        spot: under.scope === scope ? (scope === null ? spot : under.spot) : null,
        from: from.side === 'out' ? end : null,
        to: from.side === 'in' ? end : null,
        replaces: null,
      });
    },
    [store, canvas, screenToFlowPosition],
  );
}

function elementOf({ task, side, name }: Target): Element | null {
  const id = CSS.escape(task);
  return side === 'card'
    ? document.getElementById(`card-${task}`)
    : document.querySelector(`[data-task="${id}"][data-port="${side}"][data-name="${CSS.escape(name ?? '')}"]`);
}

function middleOf(target: Target | null): Pointer | null {
  const box = target && elementOf(target)?.getBoundingClientRect();
  return box ? { x: box.x + box.width / 2, y: box.y + box.height / 2 } : null;
}

/** By hand, so that a move of the pointer draws nothing but the line. */
function drawLine(surface: HTMLElement, from: PortRef, to: Pointer | null): void {
  const start = middleOf(from);
  const corner = surface.getBoundingClientRect();
  const local = ({ x, y }: Pointer) => ({ x: x - corner.x, y: y - corner.y });
  const path = surface.querySelector('path');
  const hint = surface.querySelector('span');
  if (hint && (to ?? start)) {
    placeHint(hint, local(to ?? start ?? { x: 0, y: 0 }), corner);
  }
  if (!path) return;
  const ends = start && to ? [local(start), local(to)] : null;
  const [first, last] = from.side === 'out' ? [ends?.[0], ends?.[1]] : [ends?.[1], ends?.[0]];
  path.setAttribute('d', first && last ? freePathOf(first, last) : '');
}

/** Pixels between the pointer and what is said of the link. */
const APART = 16;

/** Beside the pointer; on its other side where there is no room. */
function placeHint(hint: HTMLElement, { x, y }: Pointer, room: DOMRect): void {
  const beside = (at: number, size: number, all: number) => (at + APART + size <= all ? at + APART : Math.max(0, at - APART - size));
  hint.style.transform = `translate(${beside(x, hint.offsetWidth, room.width)}px, ${beside(y, hint.offsetHeight, room.height)}px)`;
}

/** Which of several ports a link was meant for. */
function ChoiceMenu() {
  const store = useEditorStore();
  const canvas = useCanvasStore();
  const choice = useCanvas((state) => state.choice);
  if (!choice) return null;
  const { from, options, point } = choice;
  return (
    <Menu
      open
      onOpenChange={(open) => {
        if (!open) canvas.setState({ choice: null });
      }}
      trigger={<span className={css.anchor} style={{ left: point.x, top: point.y }} />}
    >
      <MenuText>Link {wordsOf(from)} to</MenuText>
      {options.map((option) => (
        <MenuItem key={option.name} onSelect={() => link(store, from, option)}>
          {option.name} <small className={css.type}>{portAt(store.getState(), option)?.type}</small>
        </MenuItem>
      ))}
    </Menu>
  );
}
