import { createContext, memo, use, useMemo, useState } from 'react';
import { FlowCanvas, type CardProps } from '../../canvas/FlowCanvas';
import { GroupFrame } from '../../canvas/GroupFrame';
import { TaskCard } from '../../canvas/TaskCard';
import { drawingOf } from '../../graph/convert';
import type { Drawing } from '../../graph/types';
import type { TaskModel } from '../types';
import { edgesIn, type Diff, type Mark } from './diff';
import css from './DiffGraph.module.css';
import { MarkSign } from './DiffList';

interface Parts {
  tasks: ReadonlyMap<string, TaskModel>;
  marks: ReadonlyMap<string, Mark>;
}

const PartsContext = createContext<Parts>({ tasks: new Map(), marks: new Map() });

/** Both graphs in one drawing: what is there now, and what is gone. */
export function DiffGraph({ label, diff }: { label: string; diff: Diff }) {
  const drawing = useMemo(() => bothOf(diff), [diff]);
  const parts = useMemo(() => partsOf(diff), [diff]);
  const [selected, setSelected] = useState<string | null>(null);
  return (
    <PartsContext value={parts}>
      <FlowCanvas label={label} drawing={drawing} shape={2.4} start="begin" Card={Card} Frame={Frame} selected={selected} onSelect={setSelected} />
    </PartsContext>
  );
}

function partsOf({ old, now, tasks }: Diff): Parts {
  return { tasks: new Map([...old.tasks, ...now.tasks]), marks: new Map(tasks.map(({ key, mark }) => [key, mark])) };
}

const SIGNS = { added: '+ added', removed: '− removed' } as const;

function bothOf({ old, now, edges }: Diff): Drawing {
  const tasks = [...new Map([...old.tasks, ...now.tasks]).values()];
  const all = new Map([...edgesIn(old), ...edgesIn(now)]);
  const drawing = drawingOf(
    tasks,
    [...all.values()].map(({ from, to, rule }) => ({ up: from, down: to, rule })),
  );
  const marks = new Map(edges.map(({ from, to, rule, mark }) => [`${from}>${to}:${rule}`, mark]));
  const marked = drawing.links.map((link) => {
    const mark = marks.get(link.id);
    return { ...link, label: labelOf(link.label, mark), ...(mark && { look: mark }) };
  });
  return { ...drawing, links: marked };
}

function labelOf(label: string, mark: 'added' | 'removed' | undefined): string {
  return [label, mark && SIGNS[mark]].filter(Boolean).join(', ');
}

const wordsOf = (task: TaskModel, mark: Mark | undefined) => [task.key, task.kind, mark ?? 'not changed'].join(', ');

const Card = memo(function Card({ id, selected }: CardProps) {
  const { tasks, marks } = use(PartsContext);
  const task = tasks.get(id);
  const mark = marks.get(id);
  if (!task) return null;
  return (
    <div className={css.card} data-change={mark}>
      <TaskCard
        kind={task.kind}
        name={task.name}
        title={task.title || task.kind}
        state={null}
        aside={mark && <MarkSign mark={mark} />}
        label={wordsOf(task, mark)}
        selected={selected}
      />
    </div>
  );
});

const Frame = memo(function Frame({ id, selected }: CardProps) {
  const { tasks, marks } = use(PartsContext);
  const task = tasks.get(id);
  const mark = marks.get(id);
  if (!task) return null;
  return (
    <div className={css.card} data-change={mark}>
      <GroupFrame
        kind={task.kind}
        name={task.title || task.name}
        state={null}
        aside={mark && <MarkSign mark={mark} />}
        label={wordsOf(task, mark)}
        selected={selected}
      />
    </div>
  );
});
