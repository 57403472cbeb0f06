import { useCallback, useState, type CSSProperties, type KeyboardEvent, type PointerEvent, type ReactNode } from 'react';
import css from './Side.module.css';

interface Limits {
  usual: number;
  least: number;
  most: number;
}

const STEP = 24;

const within = (width: number, { least, most }: Limits) => Math.round(Math.min(Math.max(width, least), most));

/** The width that this person gave to a panel. Pixels. */
function useWidth(name: string, limits: Limits): [number, (width: number) => void] {
  const key = `editor-${name}`;
  const [width, setWidth] = useState(() => within(Number(localStorage.getItem(key)) || limits.usual, limits));
  const change = useCallback(
    (next: number) => {
      setWidth(within(next, limits));
      localStorage.setItem(key, String(within(next, limits)));
    },
    [key, limits],
  );
  return [width, change];
}

interface Props {
  /** Accessible name of the panel: "Task". */
  label: string;
  name: string;
  side: 'left' | 'right';
  limits: Limits;
  children: ReactNode;
}

/** A panel beside the canvas, made wider and narrower by its inner edge. */
export function Side({ label, name, side, limits, children }: Props) {
  const [width, setWidth] = useWidth(name, limits);
  return (
    <aside className={css.side} data-side={side} style={{ '--width': `${width}px` } as CSSProperties} aria-label={label}>
      {children}
      <Edge label={`Width of ${label.toLowerCase()}`} side={side} width={width} limits={limits} onChange={setWidth} />
    </aside>
  );
}

interface EdgeProps {
  label: string;
  side: 'left' | 'right';
  width: number;
  limits: Limits;
  onChange: (width: number) => void;
}

function Edge({ label, side, width, limits, onChange }: EdgeProps) {
  const sign = side === 'left' ? 1 : -1;
  const onPointerDown = (event: PointerEvent<HTMLDivElement>) => {
    const element = event.currentTarget;
    element.setPointerCapture(event.pointerId);
    const start = event.clientX;
    const move = (now: globalThis.PointerEvent) => onChange(width + sign * (now.clientX - start));
    element.addEventListener('pointermove', move);
    element.addEventListener('lostpointercapture', () => element.removeEventListener('pointermove', move), { once: true });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'ArrowRight') onChange(width + sign * STEP);
    else if (event.key === 'ArrowLeft') onChange(width - sign * STEP);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div
      role="separator"
      aria-orientation="vertical"
      aria-label={label}
      aria-valuenow={width}
      aria-valuemin={limits.least}
      aria-valuemax={limits.most}
      tabIndex={0}
      className={css.edge}
      onPointerDown={onPointerDown}
      onKeyDown={onKeyDown}
    />
  );
}
