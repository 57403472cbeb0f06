import { Panel, useStore, useStoreApi } from '@xyflow/react';
import { useEffect, useMemo, useRef, type PointerEvent } from 'react';
import type { Drawing } from '../graph/types';
import css from './MiniMap.module.css';
import { boundsOf, colorsOf, drawAll, drawView, linesOf, onTheme, type BoxSpot, type Colors, type Transform } from './picture';

const SIZE = { width: 180, height: 120 };
const PAD = 6;
/** On a narrower canvas it would cover what else is there. */
const LEAST_WIDTH = 480;

interface Props {
  spots: readonly BoxSpot[];
  drawing: Drawing;
  /** Moves the middle of the view to a point of the drawing. */
  onMove: (x: number, y: number) => void;
}

/** The whole drawing on one small canvas, with what is seen of it; a press or a drag there moves the camera. */
export function MiniMap({ spots, drawing, onMove }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const store = useStoreApi();
  const transform = useMemo(() => transformOf(spots), [spots]);
  const lines = useMemo(() => linesOf(drawing, spots), [drawing, spots]);
  useEffect(() => {
    let [waiting, stale] = [0, true];
    let colors: Colors | null = null;
    // The drawing is kept as a picture: a move of the camera draws the frame of the view and nothing else.
    const still = document.createElement('canvas');
    const draw = () => {
      waiting = 0;
      const { current } = canvas;
      if (!current) return;
      if (stale || !colors) {
        colors = colorsOf(current);
        drawAll(still, { spots, lines, paint: null, selected: null, colors }, transform, SIZE.width, SIZE.height);
        stale = false;
      }
      drawView(current, still, store.getState(), transform, colors('--accent'));
    };
    const soon = () => {
      if (waiting === 0) waiting = requestAnimationFrame(draw);
    };
    const anew = () => {
      stale = true;
      soon();
    };
    soon();
    const stops = [store.subscribe(soon), onTheme(anew)];
    return () => {
      cancelAnimationFrame(waiting);
      for (const stop of stops) stop();
    };
  }, [store, spots, lines, transform]);

  const go = (event: PointerEvent<HTMLCanvasElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    const [left, top, zoom] = transform;
    onMove((event.clientX - box.x - left) / zoom, (event.clientY - box.y - top) / zoom);
  };
  const room = useStore((state) => state.width >= LEAST_WIDTH);
  if (!room) return null;
  return (
    <Panel position="bottom-right" className={css.map}>
      <canvas
        ref={canvas}
        {...SIZE}
        title="Overview map"
        aria-hidden
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          go(event);
        }}
        onPointerMove={(event) => {
          if (event.buttons === 1) go(event);
        }}
      />
    </Panel>
  );
}

/** So that all of it fits, in the middle. */
function transformOf(spots: readonly BoxSpot[]): Transform {
  const { left, top, right, bottom } = boundsOf(spots);
  const [width, height] = [Math.max(1, right - left), Math.max(1, bottom - top)];
  const zoom = Math.min((SIZE.width - 2 * PAD) / width, (SIZE.height - 2 * PAD) / height, 0.25);
  return [(SIZE.width - width * zoom) / 2 - left * zoom, (SIZE.height - height * zoom) / 2 - top * zoom, zoom];
}
