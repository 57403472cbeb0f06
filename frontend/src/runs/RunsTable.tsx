import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { History } from 'lucide-react';
import type { ReactNode } from 'react';
import { addressOf } from '../api/pipelines';
import { runsQuery, shownState, type RunFilter } from '../api/runs';
import type { Run } from '../api/types';
import { useLiveQueries } from '../api/useFleet';
import { Listed } from '../lists/Listed';
import { Elapsed } from '../ui/Elapsed';
import { Ago, PersonName } from '../ui/Facts';
import { EmptyState } from '../ui/Feedback';
import { StateBadge } from '../ui/StateBadge';
import table from '../ui/Table.module.css';
import { causeSentence, PRIORITY_MEANS, triggerWords } from './words';

interface Props {
  filter: RunFilter;
  /** On a pipeline's own page its name is not said again. */
  withPipeline?: boolean;
  empty?: ReactNode;
}

/** Runs, newest first, kept fresh by the socket. */
export function RunsTable({ filter, withPipeline = true, empty }: Props) {
  const query = useInfiniteQuery(runsQuery(filter));
  useLiveQueries('fleet', '*', [['runs', 'list']]);
  return (
    <Listed query={query} what="the runs" skeletons={6} empty={empty ?? <NoRuns filter={filter} />}>
      {(runs) => (
        <div className={table.scroller}>
          <table className={table.table}>
            <thead>
              <tr>
                <th>Run</th>
                <th>State</th>
                <th className={table.roomy}>Started by</th>
                <th className={table.wide}>Version</th>
                <th>Created</th>
                <th className={table.right}>Took</th>
              </tr>
            </thead>
            <tbody>
              {runs.map((run) => (
                <Row key={run.id} run={run} withPipeline={withPipeline} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Listed>
  );
}

function Row({ run, withPipeline }: { run: Run; withPipeline: boolean }) {
  return (
    <tr>
      <td className={table.name}>
        <Link
          to="/runs/$runId"
          params={{ runId: run.id }}
          className={table.split}
          title={withPipeline ? addressOf(run.pipeline) : undefined}
        >
          {withPipeline ? (
            <>
              <span className={table.cut}>{run.pipeline.name}</span>
              <span className={table.kept}>{` / run ${run.number}`}</span>
            </>
          ) : (
            `Run ${run.number}`
          )}
        </Link>
        {run.queued && (
          <span className={`${table.cut} ${table.muted}`} title={run.queued.words}>
            {run.queued.words}
          </span>
        )}
        {run.replaced_by && <span className={`${table.cut} ${table.muted}`}>Run {run.replaced_by.number} took its place.</span>}
        {run.cause && (
          <span className={`${table.cut} ${table.muted}`} title={run.cause.message}>
            {causeSentence(run.cause)}
          </span>
        )}
      </td>
      <td>
        <StateBadge state={shownState(run)} plain />
        {run.priority !== 'normal' && (
          <span className={`${table.cut} ${table.muted}`} title={PRIORITY_MEANS}>
            priority {run.priority}
          </span>
        )}
      </td>
      <td className={`${table.soft} ${table.short} ${table.roomy}`}>
        {run.requested_by ? <PersonName person={run.requested_by} /> : triggerWords(run.trigger)}
      </td>
      <td className={`${table.soft} ${table.wide}`}>{run.version}</td>
      <td className={`${table.soft} ${table.nowrap}`}>
        <Ago at={run.created_at} />
      </td>
      <td className={`${table.right} ${table.nowrap}`}>
        <Elapsed from={run.started_at} to={run.finished_at} />
      </td>
    </tr>
  );
}

function NoRuns({ filter }: { filter: RunFilter }) {
  const filtered = Boolean(filter.state ?? filter.pipeline);
  return (
    <EmptyState icon={<History />} title={filtered ? 'No run fits the filter' : 'No runs yet'}>
      {filtered ? 'Choose another state or pipeline.' : 'Open a pipeline and press Run; every run is listed here from its first second.'}
    </EmptyState>
  );
}
