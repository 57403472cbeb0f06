import { useStoreApi } from '@xyflow/react';
import { useEffect, useMemo, useRef } from 'react';
import type { Drawing } from '../graph/types';
import css from './FlowCanvas.module.css';
import { colorsOf, drawAll, linesOf, onTheme, type BoxSpot, type Colors, type Paint } from './picture';

interface Props {
  spots: readonly BoxSpot[];
  /** Links are faint lines from box to box. */
  drawing: Drawing;
  paint: Paint | null;
  selected: string | null;
}

/** All boxes as tinted rectangles on one canvas, drawn at most once per frame. */
export function Overview({ spots, drawing, paint, selected }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const store = useStoreApi();
  const lines = useMemo(() => linesOf(drawing, spots), [drawing, spots]);
  useEffect(() => {
    let waiting = 0;
    let colors: Colors | null = null;
    const draw = () => {
      waiting = 0;
      const { transform, width, height } = store.getState();
      if (!canvas.current) return;
      colors ??= colorsOf(canvas.current);
      drawAll(canvas.current, { spots, lines, paint, selected, colors }, transform, width, height);
    };
    const anew = () => {
      colors = null;
      soon();
    };
    const soon = () => {
      if (waiting === 0) waiting = requestAnimationFrame(draw);
    };
    soon();
    const stops = [store.subscribe(soon), paint?.watch(soon), onTheme(anew)];
    return () => {
      cancelAnimationFrame(waiting);
      for (const stop of stops) stop?.();
    };
  }, [store, spots, lines, paint, selected]);
  return (
    <canvas ref={canvas} className={css.overview} aria-hidden />
  );
}
