import { getViewportForBounds, useReactFlow, useStoreApi } from '@xyflow/react';
import { useEffect, useMemo } from 'react';
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
  /** Moves by as little as brings a task into view. */
  reveal: (key: string) => void;
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
    const outer = () => {
      const { scene } = canvas.getState();
      return new Map((scene?.drawing.boxes ?? []).flatMap(({ id, parent }) => (parent === null ? [[id, placeOf(id) ?? NOWHERE]] : [])));
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
      show: (keys) => frame(new Map(keys.flatMap((key) => { const place = placeOf(key); return place ? [[key, place]] : []; })), 0),
      zoomBy: (factor) => void flow.zoomTo(flow.getZoom() * factor, MOTION),
      centre: () => {
        const { width, height, transform: [x, y, zoom] } = view.getState();
        return { x: (width / 2 - x) / zoom, y: (height / 2 - y) / zoom };
      },
      reveal: (key) => {
        const place = placeOf(key);
        const { width, height, transform: [x, y, zoom] } = view.getState();
        if (!place || width === 0) return;
        const dx = missing(place.x * zoom + x, Math.min(place.width * zoom, width / 2), width);
        const dy = missing(place.y * zoom + y, Math.min(place.height * zoom, height / 2), height);
        if (dx !== 0 || dy !== 0) void flow.setViewport({ x: x + dx, y: y + dy, zoom }, MOTION);
      },
      moveTo: (x, y) => void flow.setCenter(x, y, { zoom: flow.getZoom() }),
    };
  }, [flow, view, store, canvas]);
}

const NOWHERE: Place = { x: 0, y: 0, width: 0, height: 0 };

/** Gives the page the camera for as long as a canvas is shown. */
export function useHandedOver(camera: Camera, onCamera: ((camera: Camera | null) => void) | undefined): void {
  useEffect(() => {
    onCamera?.(camera);
    return () => onCamera?.(null);
  }, [camera, onCamera]);
}
