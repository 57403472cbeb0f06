import { memo, useMemo } from 'react';
import type { Version } from '../api/types';
import { FlowCanvas, type CardProps } from '../canvas/FlowCanvas';
import { GroupFrame } from '../canvas/GroupFrame';
import { TaskCard } from '../canvas/TaskCard';
import { drawingOf } from '../graph/convert';
import { drawnPlacement } from '../graph/drawn';
import { formatDuration, formatTicking } from '../ui/format';
import { useNow } from '../ui/useNow';
import type { TaskRun } from '../api/types';
import { useRunStore, useTask } from './RunContext';
import { attemptWords, cardLabel, takenMs } from './words';

interface Props {
  label: string;
  version: Pick<Version, 'graph' | 'layout'>;
  selected: string | null;
  onSelect: (task: string | null) => void;
}

export function RunGraph({ label, version: { graph, layout }, selected, onSelect }: Props) {
  const drawing = useMemo(() => drawingOf(graph.tasks, graph.edges), [graph]);
  const drawn = useMemo(() => drawnPlacement(drawing, layout), [drawing, layout]);
  const store = useRunStore();
  const paint = useMemo(
    () => ({ state: (key: string) => store.getState().tasks[key]?.state ?? null, watch: store.subscribe }),
    [store],
  );
  return (
    <FlowCanvas
      paint={paint}
      label={label}
      drawing={drawing}
      drawn={drawn}
      Card={RunCard}
      Frame={RunFrame}
      selected={selected}
      onSelect={onSelect}
    />
  );
}

const RunCard = memo(function RunCard({ id, selected }: CardProps) {
  const task = useTask(id);
  if (!task) {
    const name = id.split('/').at(-1) ?? id;
    return <TaskCard kind="" name={name} title="" state={null} label={`${name}, loading`} selected={selected} />;
  }
  return (
    <TaskCard
      kind={task.kind}
      name={task.name}
      title={task.title || task.kind}
      state={task.state}
      aside={<Aside task={task} />}
      label={cardLabel(task)}
      selected={selected}
    />
  );
});

const RunFrame = memo(function RunFrame({ id, selected }: CardProps) {
  const task = useTask(id);
  const name = !task ? id : task.title === '' ? task.name : task.title;
  return (
    <GroupFrame
      kind="group"
      name={name}
      state={task?.state ?? null}
      aside={task && <Taken task={task} />}
      label={task ? cardLabel(task) : name}
      selected={selected}
    />
  );
});

function Aside({ task }: { task: TaskRun }) {
  const attempt = attemptWords(task);
  return (
    <>
      {attempt !== undefined && (task.reused_from ? attempt : `${attempt} · `)}
      <Taken task={task} />
      {task.started_at !== null && task.queue !== '' && ' · '}
      {!task.reused_from && task.queue}
    </>
  );
}

function Taken({ task }: { task: TaskRun }) {
  const running = task.started_at !== null && task.finished_at === null;
  const now = useNow(running ? 1000 : 0);
  const taken = takenMs(task, now);
  if (taken === null) return null;
  return <span className="tabular">{running ? formatTicking(taken) : formatDuration(taken)}</span>;
}
