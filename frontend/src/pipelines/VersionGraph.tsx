import { createContext, memo, use, useCallback, useMemo, useState } from 'react';
import type { GraphTask, Version } from '../api/types';
import { FlowCanvas, type CardProps } from '../canvas/FlowCanvas';
import { GroupFrame } from '../canvas/GroupFrame';
import { TaskCard } from '../canvas/TaskCard';
import { drawingOf } from '../graph/convert';
import { drawnPlacement } from '../graph/drawn';

const Tasks = createContext<ReadonlyMap<string, GraphTask>>(new Map());

/** A version as drawn: no states, nothing to press. */
export function VersionGraph({ label, version: { graph, layout } }: { label: string; version: Pick<Version, 'graph' | 'layout'> }) {
  const drawing = useMemo(() => drawingOf(graph.tasks, graph.edges), [graph]);
  const drawn = useMemo(() => drawnPlacement(drawing, layout), [drawing, layout]);
  const tasks = useMemo(() => new Map(graph.tasks.map((task) => [task.key, task])), [graph]);
  const [selected, setSelected] = useState<string | null>(null);
  const select = useCallback((id: string | null) => setSelected(id), []);
  return (
    <Tasks value={tasks}>
      <FlowCanvas
        label={label}
        drawing={drawing}
        drawn={drawn}
        shape={2.4}
        start="begin"
        Card={Card}
        Frame={Frame}
        selected={selected}
        onSelect={select}
      />
    </Tasks>
  );
}

const Card = memo(function Card({ id, selected }: CardProps) {
  const task = use(Tasks).get(id);
  if (!task) return null;
  return (
    <TaskCard
      kind={task.kind}
      name={task.name}
      title={task.title || task.kind}
      state={null}
      aside={task.queue}
      label={[task.name, task.kind, task.queue && `queue ${task.queue}`].filter(Boolean).join(', ')}
      selected={selected}
    />
  );
});

function nameOf(task: GraphTask | undefined, id: string): string {
  if (!task) return id;
  return task.title === '' ? task.name : task.title;
}

const Frame = memo(function Frame({ id, selected }: CardProps) {
  const task = use(Tasks).get(id);
  const name = nameOf(task, id);
  return <GroupFrame kind={task?.kind ?? 'group'} name={name} state={null} label={`${name}, group`} selected={selected} />;
});
