import { useCallback, useState, type KeyboardEvent, type PointerEvent } from 'react';
import css from './Divider.module.css';

const KEY = 'panel-width';
const LEAST = 360;
const STEP = 24;

function most(): number {
  return Math.max(LEAST, Math.round(window.innerWidth * 0.7));
}

/** The width the person chose, else room for a log beside the graph. Pixels. */
export function usePanelWidth(): [number, (width: number) => void] {
  const [width, setWidth] = useState(() => {
    const stored = Number(localStorage.getItem(KEY));
    const wanted = stored > 0 ? stored : Math.min(560, window.innerWidth * 0.38);
    return Math.round(Math.min(Math.max(wanted, LEAST), most()));
  });
  const change = useCallback((next: number) => {
    const bounded = Math.round(Math.min(Math.max(next, LEAST), most()));
    setWidth(bounded);
    localStorage.setItem(KEY, String(bounded));
  }, []);
  return [width, change];
}

/** The line between graph and panel: dragged, or moved with the arrow keys. */
export function Divider({ width, onChange }: { width: number; onChange: (width: number) => void }) {
  const onPointerDown = (event: PointerEvent<HTMLDivElement>) => {
    const element = event.currentTarget;
    element.setPointerCapture(event.pointerId);
    const start = event.clientX;
    const move = (now: globalThis.PointerEvent) => onChange(width + start - now.clientX);
    element.addEventListener('pointermove', move);
    element.addEventListener('lostpointercapture', () => element.removeEventListener('pointermove', move), { once: true });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'ArrowLeft') onChange(width + STEP);
    else if (event.key === 'ArrowRight') onChange(width - STEP);
    else return;
    event.preventDefault();
  };
  return (
    <div
      role="separator"
      aria-orientation="vertical"
      aria-label="Width of the task panel"
      aria-valuenow={width}
      aria-valuemin={LEAST}
      aria-valuemax={most()}
      tabIndex={0}
      className={css.divider}
      onPointerDown={onPointerDown}
      onKeyDown={onKeyDown}
    />
  );
}
