import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { Network, Rows3 } from 'lucide-react';
import { lazy, Suspense, useCallback, useEffect, useMemo } from 'react';
import { addressOf, versionQuery } from '../api/pipelines';
import { Problem, sentenceOf } from '../api/problem';
import type { Run } from '../api/types';
import { ErrorState, NotFound, Skeleton, SkeletonRows } from '../ui/Feedback';
import { Checkbox, SearchBox, Select } from '../ui/Fields';
import { useTitle } from '../ui/Page';
import { Segments } from '../ui/Segments';
import { CauseLine } from './CauseLine';
import { Divider, usePanelWidth } from './Divider';
import { RunHeader } from './RunHeader';
import { RunProvider, useRun, useRunStore } from './RunContext';
import css from './RunPage.module.css';
import type { RunSearch } from './search';
import { TaskPanel } from './TaskPanel';
import { TaskTable } from './TaskTable';

const loadGraph = () => import('./RunGraph');
const RunGraph = lazy(async () => ({ default: (await loadGraph()).RunGraph }));
const route = getRouteApi('/shell/runs/$runId');

export function RunPage() {
  const { runId } = route.useParams();
  const { view } = route.useSearch();
  useEffect(() => {
    // Not waiting for the run. What fails here is asked for again where it is drawn.
    if (view !== 'list') loadGraph().catch(() => undefined);
  }, [view]);
  return (
    <RunProvider id={runId} key={runId}>
      <Loaded />
    </RunProvider>
  );
}

function Loaded() {
  const run = useRun((state) => state.run);
  const problem = useRun((state) => state.problem);
  const { refresh } = useRunStore();
  useTitle(run ? `${run.pipeline.name} / run ${run.number}` : 'Run');
  if (run) return <RunView run={run} />;
  if (!problem) return <Loading />;
  if (problem instanceof Problem && problem.status === 404) {
    return (
      <NotFound title="There is no such run.">
        <Link to="/runs">To the runs</Link>
      </NotFound>
    );
  }
  return (
    <ErrorState
      page
      title="The run could not be loaded."
      detail={sentenceOf(problem)}
      offline={problem instanceof Problem && problem.unreachable}
      onRetry={() => void refresh()}
    />
  );
}

function Loading() {
  return (
    <div className={css.page}>
      <div className={css.loading}>
        <Skeleton width={280} height={20} />
        <Skeleton width={420} />
      </div>
      <SkeletonRows rows={8} label="Loading the run" />
    </div>
  );
}

/** Changes the parameters of the address without leaving a step in the history. */
export function useRunSearch(): [RunSearch, (change: Partial<RunSearch>) => void] {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const change = useCallback(
    (next: Partial<RunSearch>) => void navigate({ search: (old) => ({ ...old, ...next }), replace: true }),
    [navigate],
  );
  return [search, change];
}

function RunView({ run }: { run: Run }) {
  const [search, change] = useRunSearch();
  const [width, setWidth] = usePanelWidth();
  const store = useRunStore();
  const open = useCallback(
    (task: string | null) => {
      // The tab stays from task to task, but a question to a person is always seen first.
      const asks = task === null || store.getState().tasks[task]?.state === 'awaiting_approval';
      change({ task: task ?? undefined, attempt: undefined, line: undefined, tab: asks ? undefined : search.tab });
    },
    [change, search.tab, store],
  );
  const openLog = useCallback(
    (task: string, attempt: number | null) => change({ task, attempt: attempt ?? undefined, tab: 'log', line: undefined }),
    [change],
  );
  const view = search.view ?? 'graph';
  return (
    <div className={css.page}>
      <RunHeader run={run} task={search.task} onTask={open} />
      {run.cause && <CauseLine run={run} cause={run.cause} onLog={openLog} />}
      <Toolbar view={view} search={search} change={change} />
      <div className={css.body}>
        <div className={css.main}>
          {view === 'graph' ? (
            <GraphView run={run} selected={search.task ?? null} onSelect={open} />
          ) : (
            <TaskTable search={search} selected={search.task ?? null} onSelect={open} />
          )}
        </div>
        {search.task !== undefined && (
          <>
            <Divider width={width} onChange={setWidth} />
            <aside className={css.panel} style={{ width }} aria-label={`Task ${search.task}`}>
              <TaskPanel key={search.task} run={run} taskKey={search.task} search={search} change={change} />
            </aside>
          </>
        )}
      </div>
    </div>
  );
}

interface ToolbarProps {
  view: 'graph' | 'list';
  search: RunSearch;
  change: (change: Partial<RunSearch>) => void;
}

const FILTERS = [
  ['', 'All states'],
  ['failed', 'Failed'],
  ['running', 'Running'],
  ['queued', 'Queued'],
  ['retrying', 'Retrying'],
  ['approval', 'Needs approval'],
  ['succeeded', 'Succeeded'],
  ['skipped', 'Skipped'],
  ['cancelled', 'Cancelled'],
] as const;

function Toolbar({ view, search, change }: ToolbarProps) {
  return (
    <div className={css.toolbar}>
      <Segments
        label="View"
        value={view}
        onChange={(next) => change({ view: next === 'graph' ? undefined : next })}
        items={[
          { value: 'graph', label: <><Network aria-hidden /> Graph</> },
          { value: 'list', label: <><Rows3 aria-hidden /> List</> },
        ]}
      />
      {view === 'list' && (
        <div className={css.filters}>
          <SearchBox label="Find a task" value={search.q ?? ''} onChange={(q) => change({ q: q || undefined })} />
          <Select
            aria-label="State"
            className={css.stateFilter}
            value={search.state ?? ''}
            onChange={(event) => change({ state: event.target.value || undefined })}
          >
            {FILTERS.map(([value, word]) => (
              <option key={value} value={value}>
                {word}
              </option>
            ))}
          </Select>
          <Checkbox
            label="Hide succeeded"
            checked={search.hide ?? false}
            onChange={(event) => change({ hide: event.target.checked || undefined })}
          />
        </div>
      )}
    </div>
  );
}

interface GraphProps {
  run: Run;
  selected: string | null;
  onSelect: (task: string | null) => void;
}

/** The graph comes from the version, so that every planned task is there from the start. */
function GraphView({ run, selected, onSelect }: GraphProps) {
  const query = useQuery(versionQuery(addressOf(run.pipeline), run.version));
  const label = useMemo(() => `Graph of ${run.pipeline.name}, run ${run.number}`, [run.pipeline.name, run.number]);
  if (query.isError) {
    return (
      <ErrorState
        title="The graph could not be loaded."
        detail={`${sentenceOf(query.error)} The list shows the same tasks.`}
        onRetry={() => void query.refetch()}
      />
    );
  }
  if (!query.data) return <SkeletonRows label="Loading the graph" />;
  return (
    <Suspense fallback={<SkeletonRows label="Loading the graph" />}>
      <RunGraph label={label} version={query.data} selected={selected} onSelect={onSelect} />
    </Suspense>
  );
}

