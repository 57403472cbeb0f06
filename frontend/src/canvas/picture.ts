import { absolute } from '../graph/layout';
import type { Drawing, Placement } from '../graph/types';
import { lookOf } from '../ui/states';

/* A drawing on one canvas element, on which boxes cost nothing. */

/** More cards than this are never mounted: the camera hands over to a picture. */
export const MOST_CARDS = 300;

export interface Paint {
  /** The state of a box now, null where it has none. */
  state: (id: string) => string | null;
  /** Calls back after any state changed. */
  watch: (changed: () => void) => () => void;
}

/** A box with its place on the whole drawing. */
export interface BoxSpot {
  id: string;
  x: number;
  y: number;
  width: number;
  height: number;
  frame: boolean;
}

/** Every box with its place on the whole drawing, frames first. */
export function spotsOf(drawing: Drawing, { places }: Pick<Placement, 'places'>): BoxSpot[] {
  const parents = new Map(drawing.boxes.map((box) => [box.id, box.parent]));
  return drawing.boxes
    .map((box) => ({ ...absolute(box.id, parents, places), id: box.id, frame: box.frame }))
    .sort((a, b) => Number(b.frame) - Number(a.frame));
}

/** The box under a point of the drawing; an inner one before its frame. */
export function spotAt(spots: readonly BoxSpot[], x: number, y: number): BoxSpot | null {
  return (
    spots.findLast((spot) => x >= spot.x && x <= spot.x + spot.width && y >= spot.y && y <= spot.y + spot.height) ?? null
  );
}

/** The switch and the system both change what the tokens mean. */
export function onTheme(changed: () => void): () => void {
  const media = window.matchMedia('(prefers-color-scheme: dark)');
  media.addEventListener('change', changed);
  const observer = new MutationObserver(changed);
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] });
  return () => {
    media.removeEventListener('change', changed);
    observer.disconnect();
  };
}

export type Line = readonly [x1: number, y1: number, x2: number, y2: number];

export function linesOf(drawing: Drawing, spots: readonly BoxSpot[]): Line[] {
  const byId = new Map(spots.map((spot) => [spot.id, spot]));
  return drawing.links.flatMap((link) => {
    const from = byId.get(link.from);
    const to = byId.get(link.to);
    if (!from || !to) return [];
    return [[from.x + from.width, from.y + from.height / 2, to.x, to.y + to.height / 2] as const];
  });
}

export interface Picture {
  colors: Colors;
  spots: readonly BoxSpot[];
  lines: readonly Line[];
  paint: Paint | null;
  selected: string | null;
}

export type Transform = readonly [left: number, top: number, zoom: number];

export function drawAll(canvas: HTMLCanvasElement, picture: Picture, transform: Transform, width: number, height: number): void {
  const ratio = window.devicePixelRatio;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const context = canvas.getContext('2d');
  if (!context) return;
  const [left, top, zoom] = transform;
  const { colors } = picture;
  context.setTransform(ratio * zoom, 0, 0, ratio * zoom, ratio * left, ratio * top);
  drawLines(context, picture.lines, colors('--border-strong'), zoom);
  for (const spot of picture.spots) drawSpot(context, spot, picture, zoom);
}

/** A still picture, and on it the frame of what a view shows of it. */
export function drawView(
  canvas: HTMLCanvasElement,
  still: HTMLCanvasElement,
  view: { transform: Transform; width: number; height: number },
  [left, top, zoom]: Transform,
  color: string,
): void {
  canvas.width = still.width;
  canvas.height = still.height;
  const context = canvas.getContext('2d');
  if (!context || still.width === 0) return;
  context.drawImage(still, 0, 0);
  const ratio = window.devicePixelRatio;
  const [x, y, scale] = view.transform;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.strokeStyle = color;
  context.lineWidth = 1.5;
  // Of a view that is larger than the drawing the border of the map is what is seen.
  const within = (at: number, size: number) => Math.min(Math.max(at, 1), size / ratio - 1);
  const [fromX, toX] = [0, view.width].map((at) => within(((at - x) / scale) * zoom + left, still.width)) as [number, number];
  const [fromY, toY] = [0, view.height].map((at) => within(((at - y) / scale) * zoom + top, still.height)) as [number, number];
  context.strokeRect(fromX, fromY, toX - fromX, toY - fromY);
}

/** The corners of everything; of nothing, a point. */
export function boundsOf(spots: readonly BoxSpot[]): { left: number; top: number; right: number; bottom: number } {
  if (spots.length === 0) return { left: 0, top: 0, right: 0, bottom: 0 };
  const bounds = { left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity };
  for (const { x, y, width, height } of spots) {
    bounds.left = Math.min(bounds.left, x);
    bounds.top = Math.min(bounds.top, y);
    bounds.right = Math.max(bounds.right, x + width);
    bounds.bottom = Math.max(bounds.bottom, y + height);
  }
  return bounds;
}

function drawLines(context: CanvasRenderingContext2D, lines: readonly Line[], color: string, zoom: number): void {
  context.beginPath();
  for (const [x1, y1, x2, y2] of lines) {
    context.moveTo(x1, y1);
    context.lineTo(x2, y2);
  }
  context.globalAlpha = 0.35;
  context.strokeStyle = color;
  context.lineWidth = 0.5 / zoom;
  context.stroke();
  context.globalAlpha = 1;
}

function drawSpot(
  context: CanvasRenderingContext2D,
  spot: BoxSpot,
  { paint, selected, colors }: Picture,
  zoom: number,
): void {
  const state = paint?.state(spot.id) ?? null;
  const look = state === null ? null : lookOf(state).look;
  const edge = look === null ? '--border-strong' : `--${look}`;
  if (!spot.frame) {
    context.fillStyle = colors(look === null ? '--surface' : `--${look}-tint`);
    context.fillRect(spot.x, spot.y, spot.width, spot.height);
    // The stripe of the card, wide enough to be seen from afar.
    context.fillStyle = colors(edge);
    context.fillRect(spot.x, spot.y, spot.width / 4, spot.height);
  }
  context.strokeStyle = colors(spot.id === selected ? '--accent' : edge);
  context.lineWidth = (spot.id === selected ? 2 : 0.75) / zoom;
  context.strokeRect(spot.x, spot.y, spot.width, spot.height);
}

/** What a token means now. */
export type Colors = (token: string) => string;

/**
 * Reads each token once: reading makes the browser style the page anew, so the answer is kept until the theme changes. A
 * canvas cannot read light-dark() itself, so a probe element resolves it.
 */
export function colorsOf(probe: HTMLElement): Colors {
  const known = new Map<string, string>();
  return (token) => {
    const found = known.get(token);
    if (found !== undefined) return found;
    probe.style.color = `var(${token})`;
    const color = getComputedStyle(probe).color;
    known.set(token, color);
    return color;
  };
}
