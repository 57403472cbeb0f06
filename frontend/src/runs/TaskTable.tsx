import { useVirtualizer } from '@tanstack/react-virtual';
import { ListFilter } from 'lucide-react';
import { memo, useMemo, useRef } from 'react';
import { Elapsed } from '../ui/Elapsed';
import { EmptyState, SkeletonRows } from '../ui/Feedback';
import { KindIcon } from '../ui/KindIcon';
import { StateBadge } from '../ui/StateBadge';
import { useRun, useTask } from './RunContext';
import { filterKeys } from './filter';
import type { RunSearch } from './search';
import css from './TaskTable.module.css';
import { whyEnded } from './words';

const ROW_PX = 36;

interface Props {
  search: RunSearch;
  selected: string | null;
  onSelect: (task: string | null) => void;
}

/** The same tasks as the graph, as a table; only the rows in view are in the page. */
export function TaskTable({ search, selected, onSelect }: Props) {
  const tasks = useRun((state) => state.tasks);
  const keys = useRun((state) => state.keys);
  const shown = useMemo(
    () => filterKeys(keys, tasks, { q: search.q, state: search.state, hide: search.hide }),
    [keys, tasks, search.q, search.state, search.hide],
  );
  if (keys.length === 0) return <SkeletonRows label="Loading the tasks" />;
  if (shown.length === 0) {
    return (
      <EmptyState icon={<ListFilter />} title="No task fits the filter">
        {keys.length} tasks are hidden. Change the name, the state or “Hide succeeded”.
      </EmptyState>
    );
  }
  return <Rows keys={shown} selected={selected} onSelect={onSelect} />;
}

function Rows({ keys, selected, onSelect }: { keys: string[]; selected: string | null; onSelect: Props['onSelect'] }) {
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: keys.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PX,
    overscan: 12,
  });
  return (
    <div ref={scroller} className={css.scroller}>
      <div role="table" aria-label="Tasks" aria-rowcount={keys.length + 1} className={css.table}>
        <div role="rowgroup" className={css.headGroup}>
          <div role="row" aria-rowindex={1} className={css.head}>
            <span role="columnheader">Task</span>
            <span role="columnheader">State</span>
            <span role="columnheader">Reason</span>
            <span role="columnheader">Attempt</span>
            <span role="columnheader">Queue</span>
            <span role="columnheader" className={css.right}>
              Took
            </span>
          </div>
        </div>
        <div role="rowgroup" className={css.rows} style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map((item) => {
            const key = keys[item.index] ?? '';
            return (
              <div
                key={key}
                role="row"
                aria-rowindex={item.index + 2}
                className={css.row}
                data-selected={key === selected || undefined}
                style={{ transform: `translateY(${item.start}px)` }}
              >
                <Row taskKey={key} onSelect={onSelect} />
              </div>
            );
          })}
        </div>
      </div>
    </div>
  );
}

const Row = memo(function Row({ taskKey, onSelect }: { taskKey: string; onSelect: Props['onSelect'] }) {
  const task = useTask(taskKey);
  if (!task) return null;
  return (
    <>
      <span role="cell" className={css.name} style={{ paddingLeft: 20 * (taskKey.split('/').length - 1) }}>
        <KindIcon kind={task.kind} size={14} />
        <button type="button" className={css.open} title={task.key} onClick={() => onSelect(task.key)}>
          {task.name}
        </button>
        {task.title && task.title !== task.name && <span className={css.title}>{task.title}</span>}
      </span>
      <span role="cell">
        <StateBadge state={task.state} plain />
      </span>
      <span role="cell" className={css.soft} title={whyEnded(task)}>
        {whyEnded(task)}
      </span>
      <span role="cell" className={css.soft}>
        {task.attempt?.no ?? '–'}
      </span>
      <span role="cell" className={css.soft}>
        {task.queue || '–'}
      </span>
      <span role="cell" className={css.right}>
        <Elapsed from={task.started_at} to={task.finished_at} />
      </span>
    </>
  );
});
