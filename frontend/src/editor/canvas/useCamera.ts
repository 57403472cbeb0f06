import { getViewportForBounds, useReactFlow, useStore, useStoreApi } from '@xyflow/react';
import { useEffect, useMemo, type RefObject } from 'react';
import { AROUND, ZOOM, missing } from '../../canvas/camera';
import { around } from '../../graph/align';
import type { Place } from '../../graph/types';
import type { Camera } from '../commands/types';
import { wholePlace } from '../places';
import { useEditorStore } from '../store';
import { useCanvasStore } from './state';

/** Up to so many tasks a drawing begins readable rather than whole. */
const FEW = 40;
const MOTION = { duration: 120 };

export interface CanvasCamera extends Camera {
  /** Where a pipeline is opened: all of it, or its beginning where all would be too small to read. */
  begin: () => void;
  /** Moves by as little as brings tasks into view; zooms out only when they do not fit. */
  reveal: (keys: readonly string[]) => void;
  /** Puts the middle of the view on a point of the drawing. */
  moveTo: (x: number, y: number) => void;
}

/** The camera over what is drawn; stable for as long as the canvas is. */
export function useCamera(): CanvasCamera {
  const flow = useReactFlow();
  const view = useStoreApi();
  const store = useEditorStore();
  const canvas = useCanvasStore();
  return useMemo(() => {
    const placeOf = (key: string): Place | null => {
      const { scene } = canvas.getState();
      return scene?.places.has(key) ? wholePlace(key, store.getState().doc.model.tasks, scene.places) : null;
    };
    const placesOf = (keys: readonly string[]) => {
      const found = keys.map((key) => [key, placeOf(key)] as const);
      return new Map(found.filter((one): one is [string, Place] => one[1] !== null));
    };
    const outer = () => {
      const { scene } = canvas.getState();
      return placesOf((scene?.drawing.boxes ?? []).filter(({ parent }) => parent === null).map(({ id }) => id));
    };
    const frame = (boxes: ReadonlyMap<string, Place>, least: number, motion = MOTION) => {
      if (boxes.size === 0) return;
      const { left, top, right, bottom } = around(boxes);
      const { width, height } = view.getState();
      const bounds = { x: left, y: top, width: right - left, height: bottom - top };
      const whole = getViewportForBounds(bounds, width, height, ZOOM.least, ZOOM.fit, `${AROUND}px`);
      if (whole.zoom >= least) return void flow.setViewport(whole, motion);
      void flow.setViewport({ x: AROUND - left * least, y: Math.max(AROUND, (height - bounds.height * least) / 2) - top * least, zoom: least }, motion);
    };
    return {
      fit: () => frame(outer(), 0),
      begin: () => frame(outer(), outer().size <= FEW ? ZOOM.legible : 0, { duration: 0 }),
      show: (keys) => frame(placesOf(keys), 0),
      // Without motion: the next press asks how far it has come.
      zoomBy: (factor) => void flow.zoomTo(flow.getZoom() * factor),
      centre: () => {
        const { width, height, transform: [x, y, zoom] } = view.getState();
        return { x: (width / 2 - x) / zoom, y: (height / 2 - y) / zoom };
      },
      reveal: (keys) => {
        const boxes = placesOf(keys);
        const { width, height, transform: [x, y, zoom] } = view.getState();
        if (boxes.size === 0 || width === 0) return;
        const { left, top, right, bottom } = around(boxes);
        const [wide, high] = [(right - left) * zoom, (bottom - top) * zoom];
        if (keys.length > 1 && (wide > width || high > height)) {
          frame(boxes, 0);
          return;
        }
        const dx = missing(left * zoom + x, wide <= width ? wide : width / 2, width);
        const dy = missing(top * zoom + y, high <= height ? high : height / 2, height);
        if (dx !== 0 || dy !== 0) void flow.setViewport({ x: x + dx, y: y + dy, zoom }, MOTION);
      },
      moveTo: (x, y) => void flow.setCenter(x, y, { zoom: flow.getZoom() }),
    };
  }, [flow, view, store, canvas]);
}

/** Gives the page, and what adds to the canvas, the camera for as long as a canvas is shown. */
export function useHandedOver(camera: CanvasCamera, onCamera: ((camera: Camera | null) => void) | undefined): void {
  const canvas = useCanvasStore();
  useEffect(() => {
    onCamera?.(camera);
    canvas.setState({ camera });
    return () => {
      onCamera?.(null);
      canvas.setState({ camera: null });
    };
  }, [camera, canvas, onCamera]);
}

/** Fits again when the canvas changes its size while nobody has moved the camera; keeps the cursor in view otherwise. */
export function useRefitted(camera: CanvasCamera, untouched: RefObject<boolean>): void {
  const canvas = useCanvasStore();
  const width = useStore((state) => state.width);
  const height = useStore((state) => state.height);
  useEffect(() => {
    if (width === 0) return;
    const { active } = canvas.getState();
    if (untouched.current) camera.begin();
    else if (active !== null) camera.reveal([active]);
  }, [camera, canvas, untouched, width, height]);
}
