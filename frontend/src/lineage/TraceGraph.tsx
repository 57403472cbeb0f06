import { createContext, memo, use, useMemo } from 'react';
import type { Trace, TraceNode } from '../api/types';
import { FlowCanvas, type CardProps } from '../canvas/FlowCanvas';
import { TaskCard } from '../canvas/TaskCard';
import { drawingOfTrace } from '../graph/convert';
import { formatBytes, shortDigest } from '../ui/format';
import { LOOKS } from '../ui/states';
import { labelOf, TYPE_WORDS } from './words';

const Nodes = createContext<ReadonlyMap<string, TraceNode>>(new Map());

interface Props {
  /** Accessible name. */
  label: string;
  nodes: TraceNode[];
  edges: Trace['edges'];
  /** Where a drawing begins that is too large to be shown whole. */
  start: 'begin' | 'end';
  selected: string | null;
  onSelect: (node: string | null) => void;
}

/** A part of the record on the same canvas on which the pipeline was drawn, what came first on the left. */
export function TraceGraph({ label, nodes, edges, start, selected, onSelect }: Props) {
  const drawing = useMemo(() => drawingOfTrace(nodes, edges), [nodes, edges]);
  const byId = useMemo(() => new Map(nodes.map((node) => [node.id, node])), [nodes]);
  return (
    <Nodes value={byId}>
      <FlowCanvas label={label} drawing={drawing} shape={2.4} start={start} Card={Card} selected={selected} onSelect={onSelect} />
    </Nodes>
  );
}

const Card = memo(function Card({ id, selected }: CardProps) {
  const node = use(Nodes).get(id);
  if (!node) return null;
  const state = typeof node.detail.state === 'string' && node.detail.state in LOOKS ? node.detail.state : null;
  return (
    <TaskCard
      kind={node.type}
      name={labelOf(node)}
      title={TYPE_WORDS[node.type]}
      state={state}
      aside={asideOf(node)}
      label={`${labelOf(node)}, ${TYPE_WORDS[node.type]}`}
      selected={selected}
    />
  );
});

function asideOf(node: TraceNode): string {
  const { sha256, size, run_number: run } = node.detail;
  return [
    typeof run === 'number' ? `run ${run}` : '',
    typeof size === 'number' ? formatBytes(size) : '',
    typeof sha256 === 'string' ? shortDigest(sha256).slice(0, 8) : '',
  ]
    .filter(Boolean)
    .join(' · ');
}
