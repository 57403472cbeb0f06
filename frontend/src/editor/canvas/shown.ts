import { isScalar } from '../../graph/ports';
import type { Size } from '../../graph/types';
import type { Port, Ports } from '../types';

/* Which ports a card shows, and where. Pure. */

export interface ShownPort extends Port {
  readonly linked: boolean;
}

export interface Shown {
  readonly inputs: readonly ShownPort[];
  readonly outputs: readonly ShownPort[];
  /** Outputs left out. */
  readonly more: number;
}

/** Names of ports that links end at. */
export interface Linked {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

export const NO_LINKS: Linked = { inputs: [], outputs: [] };
const MOST_OUTPUTS = 6;
export const CARD_WIDTH = 208;
const [CARD_HEIGHT, ROW, FIRST_ROW, ORDER_ROW] = [64, 24, 32, 8];
export const PORT_SIZE = 10;

/** Inputs that are required, linked or no plain value; all outputs, or the first six when there are more. */
export function shownPorts(ports: Ports, linked: Linked, opened: boolean): Shown {
  const inputs = known(ports.inputs, linked.inputs).filter((port) => port.linked || port.required || !isScalar(port.type));
  const outputs = known(ports.outputs, linked.outputs);
  if (opened || outputs.length <= MOST_OUTPUTS) return { inputs, outputs, more: 0 };
  const first = outputs.toSorted((a, b) => Number(b.linked) - Number(a.linked));
  const most = Math.max(MOST_OUTPUTS, linked.outputs.length);
  return { inputs, outputs: first.slice(0, most), more: Math.max(0, outputs.length - most) };
}

/** Declared ports, then those that only a link names: a link always has an end to be seen at. */
function known(ports: readonly Port[], linked: readonly string[]): ShownPort[] {
  const names = new Set(ports.map(({ name }) => name));
  const further = linked.filter((name) => !names.has(name));
  return [
    ...ports.map((port) => ({ ...port, linked: linked.includes(port.name) })),
    ...further.map((name) => ({ name, type: 'any', required: false, linked: true })),
  ];
}

export function sizeOf({ inputs, outputs, more }: Shown): Size {
  const rows = Math.max(inputs.length, outputs.length + Number(more > 0));
  return { width: CARD_WIDTH, height: CARD_HEIGHT + ROW * Math.max(0, rows - 2) };
}

/** The middle of a port's row, from the top of the card. The order port stands in the head row. */
export function rowOf(at: number | 'order'): number {
  return at === 'order' ? ORDER_ROW : FIRST_ROW + ROW * at;
}
