import type { Family } from '../../graph/ports';

/* Shapes are drawn in a square of ten; two families of one colour family never share a shape. */
const SHAPES: Record<Family, string> = {
  order: 'M1 1 L9 5 L1 9 Z',
  number: 'M5 0.5 A4.5 4.5 0 1 1 5 9.5 A4.5 4.5 0 1 1 5 0.5 Z',
  string: 'M1 3 A2 2 0 0 1 3 1 H7 A2 2 0 0 1 9 3 V7 A2 2 0 0 1 7 9 H3 A2 2 0 0 1 1 7 Z M3 5 H7',
  boolean: 'M5 0.5 A4.5 4.5 0 1 1 5 9.5 A4.5 4.5 0 1 1 5 0.5 Z M5 0.5 V9.5',
  json: 'M3 0.5 H7 L9.5 5 L7 9.5 H3 L0.5 5 Z',
  table: 'M0.5 0.5 H9.5 V9.5 H0.5 Z M0.5 5 H9.5 M5 0.5 V9.5',
  array: 'M0.5 1 H9.5 V9 H0.5 Z M3.5 1 V9 M6.5 1 V9',
  model: 'M5 0 L10 5 L5 10 L0 5 Z',
  file: 'M1.5 0.5 H6 L9 3.5 V9.5 H1.5 Z',
  image: 'M0.5 1.5 H9.5 V8.5 H0.5 Z M0.5 8.5 L4 4.5 L6 6.5 L7.5 5 L9.5 7.5',
  any: 'M5 0.5 V9.5 M0.5 5 H9.5 M5 1 A4 4 0 1 1 5 9 A4 4 0 1 1 5 1 Z',
};

/** The sign of a family of port types. */
export function PortMark({ family, className }: { family: Family; className?: string | undefined }) {
  return (
    <svg className={className} viewBox="0 0 10 10" width={10} height={10} aria-hidden>
      <path d={SHAPES[family]} />
    </svg>
  );
}
