import type { NodeProps } from '@xyflow/react';
import { ChevronDown, ChevronRight, CircleAlert, TriangleAlert } from 'lucide-react';
import { memo, type ReactNode } from 'react';
import { useActiveDescendant } from '../../canvas/activeDescendant';
import { GroupFrame } from '../../canvas/GroupFrame';
import { TaskCard } from '../../canvas/TaskCard';
import { formatDuration } from '../../ui/format';
import { useLastRun } from '../lastRun';
import { useProblemsOf } from '../problems';
import { useEditor } from '../store';
import type { Problem } from '../types';
import { cardLabel } from './words';
import { Port } from './Port';
import type { CardFacts, CardNode } from './scene';
import { rowOf } from './shown';
import { useCanvas, useCanvasStore } from './state';
import css from './Card.module.css';

/** A task, or a scope that is folded. */
export const Card = memo(function Card({ id, data, selected }: NodeProps<CardNode>) {
  const last = useLastRun(id);
  const problems = useProblemsOf(id);
  const time = last?.seconds == null ? '' : formatDuration(last.seconds * 1000);
  const inside = data.count === null ? '' : data.count === 1 ? '1 task' : `${data.count} tasks`;
  return (
    <Ported id={id} facts={data} label={cardLabel(data, last?.state ?? null, problems.length)}>
      <TaskCard
        kind={data.kind}
        name={data.name}
        title={data.title || data.kind}
        state={last?.state ?? null}
        badge={problems.length > 0 && <Badge problems={problems} />}
        aside={[inside, time, data.queue].filter(Boolean).join(' · ')}
        label={null}
        selected={selected}
      />
      {data.folded && <Fold id={id} name={data.name} folded />}
    </Ported>
  );
});

/** A scope with its tasks inside. */
export const Frame = memo(function Frame({ id, data, selected }: NodeProps<CardNode>) {
  const last = useLastRun(id);
  const problems = useProblemsOf(id);
  return (
    <Ported id={id} facts={data} label={cardLabel(data, last?.state ?? null, problems.length)}>
      <GroupFrame
        kind={data.kind}
        name={data.title || data.name}
        state={last?.state ?? null}
        aside={problems.length > 0 && <Badge problems={problems} />}
        label={null}
        selected={selected}
        fold={<Fold id={id} name={data.name} folded={false} />}
      />
    </Ported>
  );
});

function Ported({ id, facts, label, children }: { id: string; facts: CardFacts; label: string; children: ReactNode }) {
  const active = useCanvas((state) => state.active === id);
  const drop = useCanvas(({ linking }) => {
    if (linking?.at?.task !== id || linking.by === 'keys') return undefined;
    return linking.refusal === null ? 'yes' : 'no';
  });
  const card = useActiveDescendant(active);
  return (
    <div ref={card} id={`card-${id}`} className={css.node} role="group" aria-label={label} data-active={active || undefined} data-drop={drop}>
      {children}
      <Port task={id} side="in" port={null} at="order" />
      <Port task={id} side="out" port={null} at="order" />
      {facts.inputs.map((port, at) => (
        <Port key={port.name} task={id} side="in" port={port} at={at} />
      ))}
      {facts.outputs.map((port, at) => (
        <Port key={port.name} task={id} side="out" port={port} at={at} />
      ))}
      {facts.more > 0 && <More id={id} count={facts.more} row={facts.outputs.length} />}
    </div>
  );
}

function More({ id, count, row }: { id: string; count: number; row: number }) {
  const canvas = useCanvasStore();
  const open = () => canvas.setState(({ opened }) => ({ opened: new Set(opened).add(id) }));
  return (
    <button type="button" tabIndex={-1} className={`${css.more} nodrag`} style={{ top: rowOf(row) }} title={`Show ${count} more outputs`} onClick={open}>
      +{count}
    </button>
  );
}

function Fold({ id, name, folded }: { id: string; name: string; folded: boolean }) {
  const fold = useEditor((state) => state.fold);
  const label = folded ? `Unfold ${name}` : `Fold ${name}`;
  return (
    <button type="button" tabIndex={-1} className={`${css.fold} nodrag`} title={label} aria-label={label} onClick={() => fold(id, !folded)}>
      {folded ? <ChevronRight size={16} /> : <ChevronDown size={16} />}
    </button>
  );
}

function Badge({ problems }: { problems: readonly Problem[] }) {
  const mild = problems.every(({ severity }) => severity !== 'error');
  const Icon = mild ? TriangleAlert : CircleAlert;
  return (
    <span className={css.badge} data-problems={problems.length} data-mild={mild || undefined} title={problems.map(({ message }) => message).join('\n')}>
      <Icon size={14} aria-hidden />
      {problems.length}
    </span>
  );
}
