import { useReactFlow, useStore, useStoreApi } from '@xyflow/react';
import { useCallback, useEffect, useRef, useState, type RefObject } from 'react';
import { absolute, CARD, zoomIn } from '../graph/layout';
import type { Flow, Place, Placement, Places, Size } from '../graph/types';
import { MOST_CARDS, type BoxSpot } from './picture';

/* The camera of every canvas: where it begins, what it brings into view, when it is too far out for cards. */

export const ZOOM = { least: 0.02, most: 1.75, fit: 1, readable: 0.38, legible: 0.62, near: 0.8 };
/** Free space around a drawing that is shown whole. Pixels. */
export const AROUND = 40;
/** Free space around a box that the camera was moved to. */
const SHOWN = 24;

/** How large the canvas was at first: later sizes, as when a panel opens, do not turn the drawing around. */
export function useFirstBox(): Size | null {
  const width = useStore((state) => state.width);
  const height = useStore((state) => state.height);
  const [box, setBox] = useState<Size | null>(null);
  if (box === null && width > 0 && height > 0) setBox({ width, height });
  return box;
}

/**
 * Shows the whole drawing; when `anchor` is given and all of it would be too small to read, the part around the anchor;
 * when `start` is given and its words could not be read, that end of it.
 */
export function useFit({ width: drawn, height: high, flow, places }: Placement) {
  const { setViewport } = useReactFlow();
  const store = useStoreApi();
  return useCallback(
    (anchor: Place | null, start?: 'begin' | 'end') => {
      const { width, height } = store.getState();
      const whole = zoomIn({ width: drawn, height: high }, { width, height }, AROUND);
      const near = anchor === null && start !== undefined && whole < ZOOM.legible;
      const zoom = Math.max(ZOOM.least, near ? ZOOM.near : anchor === null ? whole : Math.max(whole, ZOOM.readable));
      const spot = near ? endOf(places, flow, start) : (anchor ?? { x: 0, y: 0, width: drawn, height: high });
      return setViewport({
        x: offset(width, drawn * zoom, (spot.x + spot.width / 2) * zoom),
        y: offset(height, high * zoom, (spot.y + spot.height / 2) * zoom),
        zoom,
      });
    },
    [setViewport, store, drawn, high, flow, places],
  );
}

/** The first or the last of the outer boxes along the flow. */
function endOf(places: Places, flow: Flow, end: 'begin' | 'end'): Place {
  const along = ({ x, y, width, height }: Place) => {
    if (flow === 'right') return end === 'begin' ? -x : x + width;
    return end === 'begin' ? -y : y + height;
  };
  return [...places.values()].reduce((best, place) => (along(place) > along(best) ? place : best));
}

/** Fits again when the canvas changes its size, as when a panel opens, for as long as nobody moved the camera. */
export function useRefit(begin: () => void, untouched: RefObject<boolean>) {
  const width = useStore((state) => state.width);
  const height = useStore((state) => state.height);
  const latest = useRef(begin);
  useEffect(() => {
    latest.current = begin;
  });
  useEffect(() => {
    if (width > 0 && untouched.current) latest.current();
  }, [width, height, untouched]);
}

/** Where a drawing of this length begins on a view, so that `center` is in its middle as far as there is more to see. */
function offset(view: number, length: number, center: number): number {
  if (length + 2 * AROUND <= view) return (view - length) / 2;
  return Math.min(AROUND, Math.max(view - AROUND - length, view / 2 - center));
}

/**
 * Whether more cards are on screen than may be mounted. They are taken from React Flow while it still tells of the
 * camera's move: a render later it would have mounted all of them, only to drop them again.
 */
export function useCrowded(spots: readonly BoxSpot[], most = MOST_CARDS): boolean {
  const store = useStoreApi();
  const [crowded, setCrowded] = useState(false);
  useEffect(() => {
    const look = () => {
      const state = store.getState();
      const now = isCrowded(spots, state, most);
      if (now && state.nodes.length > 0) {
        state.setNodes([]);
        state.setEdges([]);
      }
      setCrowded(now);
    };
    look();
    return store.subscribe(look);
  }, [store, spots, most]);
  return crowded;
}

interface View {
  transform: readonly [left: number, top: number, zoom: number];
  width: number;
  height: number;
}

function isCrowded(spots: readonly BoxSpot[], { transform: [left, top, zoom], width, height }: View, most: number): boolean {
  if (spots.length <= most) return false;
  let seen = 0;
  for (const spot of spots) {
    const x = spot.x * zoom + left;
    const y = spot.y * zoom + top;
    if (x <= width && y <= height && x + spot.width * zoom >= 0 && y + spot.height * zoom >= 0) seen += 1;
    if (seen > most) return true;
  }
  return false;
}

/** Moves the camera by as little as brings a box into view; not at all when it is there. */
export function useShow(places: Places, parents: ReadonlyMap<string, string | null>) {
  const { setViewport } = useReactFlow();
  const store = useStoreApi();
  return useCallback(
    (id: string) => {
      const { transform, width, height } = store.getState();
      if (width === 0) return;
      const [x, y, zoom] = transform;
      const place = absolute(id, parents, places);
      const dx = missing(place.x * zoom + x, Math.min(place.width, CARD.width) * zoom, width);
      const dy = missing(place.y * zoom + y, Math.min(place.height, CARD.height) * zoom, height);
      if (dx !== 0 || dy !== 0) void setViewport({ x: x + dx, y: y + dy, zoom }, { duration: 120 });
    },
    [places, parents, setViewport, store],
  );
}

/** By how much a stretch must move to lie inside of a view, with some space around. */
export function missing(from: number, length: number, view: number): number {
  if (from < SHOWN) return SHOWN - from;
  return Math.min(0, view - SHOWN - from - length);
}
