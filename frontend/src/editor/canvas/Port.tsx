import { memo, useMemo } from 'react';
import { familyOf } from '../../graph/ports';
import { cx } from '../../ui/cx';
import { useCanvas, idOf, samePort, type CanvasState, type PortRef } from './state';
import { PortMark } from './PortMark';
import { rowOf, type ShownPort } from './shown';
import css from './Port.module.css';

interface Props {
  task: string;
  side: 'in' | 'out';
  /** Null for the order port. */
  port: ShownPort | null;
  at: number | 'order';
}

/**
 * Only drawn: pointers and keys are the canvas' business. The class and data-handle attributes are those by which React
 * Flow finds a port when it measures a card.
 */
export const Port = memo(function Port({ task, side, port, at }: Props) {
  const name = port?.name ?? '';
  const ref = useMemo((): PortRef => ({ task, side, name: port === null ? null : name }), [task, side, port, name]);
  const look = useCanvas((state) => lookOf(state, ref));
  return (
    <span
      className={cx(css.port, css[side], side === 'in' ? 'target' : 'source', 'nodrag', 'nopan')}
      style={{ top: rowOf(at) }}
      title={titleOf(port, side)}
      data-port={side}
      data-task={task}
      data-name={name}
      data-handleid={name}
      data-handlepos={side === 'in' ? 'left' : 'right'}
      data-family={familyOf(port?.type ?? null)}
      data-linked={port?.linked ? true : undefined}
      data-required={side === 'in' && port?.required ? true : undefined}
      data-fits={look === 'fits' || undefined}
      data-dim={look === 'dim' || undefined}
      data-at={look === 'at' || look === 'refused' ? look : undefined}
      aria-hidden
    >
      <PortMark family={familyOf(port?.type ?? null)} className={css.shape} />
    </span>
  );
});

type Look = 'plain' | 'fits' | 'dim' | 'at' | 'refused';

function lookOf({ linking }: CanvasState, ref: PortRef): Look {
  if (linking === null) return 'plain';
  if (samePort(linking.from, ref)) return 'at';
  if (samePort(linking.at, ref)) return linking.refusal === null ? 'at' : 'refused';
  return linking.fitting.has(idOf(ref)) ? 'fits' : 'dim';
}

/** "table: table, required" */
function titleOf(port: ShownPort | null, side: 'in' | 'out'): string {
  if (port === null) return side === 'in' ? 'Waits for' : 'Before';
  const types = [port.type, ...(port.accepts ?? [])].join(' or ');
  const need = side === 'out' ? '' : port.required ? ', required' : ', optional';
  return `${port.name}: ${types}${need}`;
}
