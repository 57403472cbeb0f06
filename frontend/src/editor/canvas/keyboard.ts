import { first, neighbour, type Direction } from '../../graph/navigate';
import { requestJump } from '../jump';
import { wholePlace } from '../places';
import type { EditorStore } from '../store';
import { beginLinking, endLinking, link, portsIn, wordsOf } from './linking';
import { canvasOf, samePort, type Linking, type PortRef } from './state';

/* The canvas by keys alone. Whatever works on the selection is a command; here is what moves and links. */

const WAYS: Readonly<Record<string, Direction>> = {
  ArrowLeft: 'left',
  ArrowRight: 'right',
  ArrowUp: 'up',
  ArrowDown: 'down',
};

interface Pressed {
  key: string;
  shiftKey: boolean;
  altKey: boolean;
  ctrlKey: boolean;
  metaKey: boolean;
}

/** Carries out a press on the canvas. `show` brings a task into view. False: the press is not the canvas' own. */
export function onCanvasKey(pressed: Pressed, store: EditorStore, show: (key: string) => void): boolean {
  if (pressed.altKey || pressed.ctrlKey || pressed.metaKey) return false;
  const { linking, active } = canvasOf(store).getState();
  if (linking?.by === 'keys' && onLinkingKey(pressed.key, store, linking, show)) return true;
  const way = WAYS[pressed.key];
  if (way) return go(store, way, pressed.shiftKey, show);
  if (pressed.key === 'Home' || pressed.key === 'End') return goTo(store, pressed.key === 'Home' ? 0 : -1, show);
  if (pressed.key === 'Enter' && active !== null) return openForm(store, active);
  if (pressed.key === ' ' && active !== null) return toggle(store, active);
  if (pressed.key.toLowerCase() === 'c' && active !== null) return linkByKeys(store);
  if (pressed.key === 'Escape') {
    store.getState().select([]);
    store.getState().dismiss();
    return true;
  }
  return false;
}

/** Puts the cursor on a card and selects it, alone or beside the others. */
export function stand(store: EditorStore, key: string, further: boolean): void {
  const { selection, select } = store.getState();
  canvasOf(store).setState({ active: key });
  select(further ? [...selection, key] : [key]);
}

function go(store: EditorStore, way: Direction, further: boolean, show: (key: string) => void): boolean {
  const { active, scene } = canvasOf(store).getState();
  if (!scene) return false;
  const ground = { flow: 'right', places: scene.places } as const;
  const next = active === null ? first(scene.drawing, ground) : neighbour(scene.drawing, ground, active, way);
  if (next !== null) {
    stand(store, next, further);
    show(next);
  }
  return true;
}

/** The first or the last task of the text. */
function goTo(store: EditorStore, at: 0 | -1, show: (key: string) => void): boolean {
  const key = [...store.getState().doc.model.tasks.keys()].at(at);
  if (key !== undefined) {
    stand(store, key, false);
    show(key);
  }
  return true;
}

function openForm(store: EditorStore, active: string): boolean {
  if (active in store.getState().doc.layout.notes) {
    canvasOf(store).setState({ writing: active });
    return true;
  }
  store.getState().select([active]);
  requestJump({ key: active, place: '' });
  return true;
}

function toggle(store: EditorStore, active: string): boolean {
  const { selection, select } = store.getState();
  select(selection.has(active) ? [...selection].filter((id) => id !== active) : [...selection, active]);
  return true;
}

// --- linking ----------------------------------------------------------------------------------------------

/** The ports of a card at which a link may begin: its outputs, then the order port. */
function startsOf(store: EditorStore, task: string): PortRef[] {
  const { outputs } = portsIn(store.getState(), task);
  const names = [...outputs.map(({ name }) => name), null];
  return names.map((name): PortRef => ({ task, side: 'out', name }));
}

/** Begins a link at the card where the arrow keys stand. */
export function linkByKeys(store: EditorStore): boolean {
  const { active } = canvasOf(store).getState();
  const [from] = active !== null && store.getState().doc.model.tasks.has(active) ? startsOf(store, active) : [];
  if (store.getState().readOnly) store.getState().refuse('This pipeline is shown for reading only.');
  else if (from) begin(store, from);
  return true;
}

function begin(store: EditorStore, from: PortRef): void {
  const targets = nearestFirst(store, from, beginLinking(store, from, 'keys'));
  if (targets.length === 0) {
    store.getState().say(`Link from ${wordsOf(from)}: nothing fits. Left and right choose another output, Escape gives up.`);
    return;
  }
  aim(store, targets[0] ?? null, targets.length);
}

function aim(store: EditorStore, at: PortRef | null, count: number): void {
  const canvas = canvasOf(store);
  const { linking } = canvas.getState();
  if (!linking || !at) return;
  canvas.setState({ linking: { ...linking, at, refusal: null } });
  store.getState().say(`Link ${wordsOf(linking.from)} to ${wordsOf(at)}? One of ${count}. Enter links, Escape gives up.`);
}

/** False for a press that has nothing to do with the link: then it is given up. */
function onLinkingKey(key: string, store: EditorStore, linking: Linking, show: (key: string) => void): boolean {
  const { from, at } = linking;
  if (key === 'ArrowDown' || key === 'ArrowUp') {
    const targets = nearestFirst(store, from, fittingOf(linking));
    const next = beside(targets, targets.findIndex((target) => samePort(target, at)), key === 'ArrowDown' ? 1 : -1);
    if (next) {
      show(next.task);
      aim(store, next, targets.length);
    }
    return true;
  }
  if (key === 'ArrowLeft' || key === 'ArrowRight') {
    const starts = startsOf(store, from.task);
    const next = beside(starts, starts.findIndex((start) => samePort(start, from)), key === 'ArrowRight' ? 1 : -1);
    if (next) begin(store, next);
    return true;
  }
  if (key === 'Shift') return true;
  endLinking(store);
  if (key === 'Enter' && at !== null && at.side !== 'card') link(store, from, { ...at, side: at.side });
  else store.getState().say('No link was made.');
  return key === 'Enter' || key === 'Escape';
}

function fittingOf({ fitting }: Linking): PortRef[] {
  return [...fitting.values()];
}

function beside<Item>(list: readonly Item[], at: number, by: number): Item | undefined {
  return list[(at + by + list.length) % list.length];
}

function nearestFirst(store: EditorStore, from: PortRef, ports: readonly PortRef[]): PortRef[] {
  const { scene } = canvasOf(store).getState();
  const { tasks } = store.getState().doc.model;
  if (!scene) return [...ports];
  const here = wholePlace(from.task, tasks, scene.places);
  const far = new Map<string, number>();
  for (const { task } of ports) {
    if (far.has(task)) continue;
    const there = wholePlace(task, tasks, scene.places);
    far.set(task, Math.hypot(there.x - here.x, there.y - here.y));
  }
  return ports.toSorted((a, b) => (far.get(a.task) ?? 0) - (far.get(b.task) ?? 0));
}
