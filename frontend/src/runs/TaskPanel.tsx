import { useQuery, useQueryClient } from '@tanstack/react-query';
import { X } from 'lucide-react';
import { useEffect, useMemo } from 'react';
import { Problem, sentenceOf } from '../api/problem';
import { taskRunQuery } from '../api/runs';
import type { Attempt, Run, TaskRun, TaskRunDetail } from '../api/types';
import { IconButton } from '../ui/Button';
import { EmptyState, ErrorState, SkeletonRows } from '../ui/Feedback';
import { KindIcon } from '../ui/KindIcon';
import { Segments } from '../ui/Segments';
import { StateBadge } from '../ui/StateBadge';
import { StateGlyph } from '../ui/StateGlyph';
import { hasEnded, lookOf } from '../ui/states';
import { Tabs } from '../ui/Tabs';
import { ScrollText, SearchX } from 'lucide-react';
import { ApprovalBox } from './ApprovalBox';
import { DataTab } from './DataTab';
import { LogView } from './log/LogView';
import { Overview } from './Overview';
import { RerunFromHere } from './RerunMenu';
import { ReuseBox, ToMaker } from './ReuseBox';
import { useRun, useTask } from './RunContext';
import type { PanelTab, RunSearch } from './search';
import css from './TaskPanel.module.css';
import { attemptWords } from './words';

interface Props {
  run: Run;
  taskKey: string;
  search: RunSearch;
  change: (change: Partial<RunSearch>) => void;
}

/** Kinds that people or the engine settle: no worker runs them, so there is no log. */
const WITHOUT_LOG = new Set(['approval', 'group']);

export function TaskPanel({ run, taskKey, search, change }: Props) {
  const task = useTask(taskKey);
  const loaded = useRun((state) => state.keys.length > 0);
  const close = () => change({ task: undefined, attempt: undefined, tab: undefined, line: undefined });
  if (!task) {
    return (
      <div className={css.panel}>
        <PanelHead name={taskKey} onClose={close} />
        {loaded ? (
          <EmptyState icon={<SearchX />} title="This run has no such task">
            The address names {taskKey}.
          </EmptyState>
        ) : (
          <SkeletonRows label="Loading the task" />
        )}
      </div>
    );
  }
  return <Known run={run} task={task} search={search} change={change} onClose={close} />;
}

function PanelHead({ name, task, onClose }: { name: string; task?: TaskRun; onClose: () => void }) {
  return (
    <div className={css.head}>
      {task && (
        <span className={css.kind}>
          <KindIcon kind={task.kind} />
        </span>
      )}
      <h2 className={css.name} title={name}>
        {task?.name ?? name}
      </h2>
      {task && <StateBadge state={task.state} extra={attemptWords(task)} />}
      <IconButton label="Close the task" onClick={onClose}>
        <X />
      </IconButton>
    </div>
  );
}

interface KnownProps extends Omit<Props, 'taskKey'> {
  task: TaskRun;
  onClose: () => void;
}

function useDetail(task: TaskRun) {
  const queryClient = useQueryClient();
  const query = useQuery(taskRunQuery(task.id));
  // The list is what the socket keeps fresh; when it shows a move, the detail is asked for again.
  const stamp = `${task.state} ${task.attempt?.id ?? ''} ${task.attempt?.state ?? ''} ${task.approval?.decision ?? ''}`;
  useEffect(() => {
    void queryClient.invalidateQueries({ queryKey: taskRunQuery(task.id).queryKey });
  }, [queryClient, task.id, stamp]);
  return query;
}

function Known({ run, task, search, change, onClose }: KnownProps) {
  const query = useDetail(task);
  const detail = query.data ?? null;
  const hasLog = !WITHOUT_LOG.has(task.kind);
  const tab: PanelTab = search.tab === 'log' && !hasLog ? 'overview' : (search.tab ?? 'overview');
  const tabs = [
    { value: 'overview' as const, label: 'Overview' },
    ...(hasLog ? [{ value: 'log' as const, label: 'Log' }] : []),
    { value: 'data' as const, label: 'Inputs and outputs' },
  ];
  const attempts = detail?.attempts ?? [];
  const attempt = attempts.find((each) => each.no === search.attempt) ?? attempts.at(-1) ?? null;
  return (
    <div className={css.panel}>
      <PanelHead name={task.key} task={task} onClose={onClose} />
      <Tabs
        label="Parts of the task"
        className={css.tabs}
        value={tab}
        tabs={tabs}
        onChange={(next) => change({ tab: next === 'overview' ? undefined : next, line: undefined })}
      >
        {query.isError && !detail ? (
          <ErrorState
            title="The task could not be loaded."
            detail={sentenceOf(query.error)}
            offline={query.error instanceof Problem && query.error.unreachable}
            onRetry={() => void query.refetch()}
          />
        ) : (
          <>
            {attempts.length > 1 && tab !== 'data' && (
              <AttemptTabs attempts={attempts} value={attempt?.no ?? 0} onChange={(no) => change({ attempt: no, line: undefined })} />
            )}
            {tab === 'overview' && (
              <div className={css.scroll} tabIndex={0} role="region" aria-label="Overview">
                {task.approval && <ApprovalBox run={run} task={task} approval={task.approval} />}
                <Overview run={run} task={task} attempt={attempt} />
                <ReuseBox run={run} task={task} />
                <div>
                  <RerunFromHere run={run} task={task.key} />
                </div>
              </div>
            )}
            {tab === 'log' && <LogTab run={run} task={task} detail={detail} attempt={attempt} search={search} change={change} />}
            {tab === 'data' && (
              <div className={css.scroll} tabIndex={0} role="region" aria-label="Inputs and outputs">
                {detail ? <DataTab task={detail} /> : <SkeletonRows rows={4} />}
              </div>
            )}
          </>
        )}
      </Tabs>
    </div>
  );
}

function AttemptTabs({ attempts, value, onChange }: { attempts: Attempt[]; value: number; onChange: (no: number) => void }) {
  const items = useMemo(
    () =>
      attempts.map((attempt) => ({
        value: String(attempt.no),
        title: `Attempt ${attempt.no}: ${lookOf(attempt.state).word}`,
        label: (
          <>
            <StateGlyph state={attempt.state} size={12} label={lookOf(attempt.state).word} />
            {attempt.no}
          </>
        ),
      })),
    [attempts],
  );
  return (
    <div className={css.attempts}>
      <span className={css.attemptsWord}>Attempt</span>
      <Segments label="Attempt" value={String(value)} items={items} onChange={(next) => onChange(Number(next))} />
    </div>
  );
}

interface LogTabProps {
  run: Run;
  task: TaskRun;
  detail: TaskRunDetail | null;
  attempt: Attempt | null;
  search: RunSearch;
  change: (change: Partial<RunSearch>) => void;
}

function LogTab({ run, task, detail, attempt, search, change }: LogTabProps) {
  const told = useRun((state) => (attempt ? (state.logLines[attempt.id] ?? 0) : 0));
  if (!detail) return <SkeletonRows rows={5} label="Loading the attempts" />;
  if (task.reused_from) {
    return (
      <EmptyState icon={<ScrollText />} title={`Reused from run ${task.reused_from.number}`}>
        <ToMaker source={task.reused_from} words="To the log of the attempt that did the work" log />
      </EmptyState>
    );
  }
  if (!attempt) {
    return (
      <EmptyState icon={<ScrollText />} title="No attempt yet">
        {hasEnded(task.state) ? 'This task ended without being tried, so it has no log.' : 'The log begins with the first attempt.'}
      </EmptyState>
    );
  }
  return (
    <LogView
      key={attempt.id}
      attempt={attempt.id}
      fileName={`${run.pipeline.name}-${run.number}-${task.key.replaceAll('/', '.')}-${attempt.no}.log`}
      running={attempt.state === 'running'}
      hint={Math.max(told, attempt.log_lines)}
      line={search.line}
      onLine={(line) => change({ line })}
    />
  );
}
