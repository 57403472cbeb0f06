import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { Network, Rows3 } from 'lucide-react';
import { lazy, Suspense, useCallback, useMemo } from 'react';
import { downstreamQuery, upstreamQuery } from '../api/artifacts';
import { Problem, sentenceOf } from '../api/problem';
import type { Artifact, ArtifactItem, Neighbour } from '../api/types';
import { cx } from '../ui/cx';
import { Ago } from '../ui/Facts';
import { ErrorState, SkeletonRows } from '../ui/Feedback';
import { formatBytes } from '../ui/format';
import { More } from '../ui/More';
import { Section } from '../ui/Page';
import { Segments } from '../ui/Segments';
import { StateBadge } from '../ui/StateBadge';
import table from '../ui/Table.module.css';
import { hopsOf, READERS } from './hops';
import css from './Neighbours.module.css';

const TraceGraph = lazy(() => import('./TraceGraph').then((module) => ({ default: module.TraceGraph })));
const route = getRouteApi('/shell/artifacts/$artifactId');

/** What is one step up and one step down of an artifact, as a graph or as a list. */
export function Neighbours({ artifact }: { artifact: Artifact }) {
  const { view } = route.useSearch();
  const navigate = route.useNavigate();
  const up = useQuery(upstreamQuery(artifact.id));
  const down = useInfiniteQuery(downstreamQuery(artifact.id));
  const failed = [up, down].find((query) => query.isError && query.data === undefined);
  const readers = down.data?.pages.flatMap((page) => page.results) ?? [];
  return (
    <Section
      title="Upstream and downstream"
      flush
      actions={
        <Segments
          label="View of what is upstream and downstream"
          value={view ?? 'graph'}
          onChange={(next) =>
            void navigate({ search: (old) => ({ ...old, view: next === 'graph' ? undefined : next }), replace: true })
          }
          items={[
            { value: 'graph', label: <><Network aria-hidden /> Graph</> },
            { value: 'list', label: <><Rows3 aria-hidden /> List</> },
          ]}
        />
      }
    >
      {failed ? (
        <ErrorState
          title="What is upstream and downstream could not be loaded."
          detail={sentenceOf(failed.error)}
          offline={failed.error instanceof Problem && failed.error.unreachable}
          onRetry={() => void failed.refetch()}
        />
      ) : up.data === undefined || down.data === undefined ? (
        <SkeletonRows label="Loading what is upstream and downstream" />
      ) : view === 'list' ? (
        <>
          <Upstream found={up.data.results} />
          <Downstream found={readers} />
          <More
            has={down.hasNextPage}
            busy={down.isFetchingNextPage}
            onMore={() => void down.fetchNextPage()}
            problem={down.isFetchNextPageError ? sentenceOf(down.error) : null}
          />
        </>
      ) : (
        <Graph artifact={artifact} up={up.data.results} down={readers} more={down.hasNextPage} />
      )}
    </Section>
  );
}

interface GraphProps {
  artifact: Artifact;
  up: Neighbour[];
  down: Neighbour[];
  more: boolean;
}

/** A card that is chosen opens: an artifact its page, a record its task in its run. */
function Graph({ artifact, up, down, more }: GraphProps) {
  const navigate = useNavigate();
  const { nodes, edges, cut } = useMemo(() => hopsOf(artifact, up, down), [artifact, up, down]);
  const open = useCallback(
    (id: string | null) => {
      const { artifact: artifactId, run: runId, task } = nodes.find((node) => node.id === id)?.detail ?? {};
      if (typeof artifactId === 'string') void navigate({ to: '/artifacts/$artifactId', params: { artifactId } });
      else if (typeof runId === 'string' && typeof task === 'string') {
        void navigate({ to: '/runs/$runId', params: { runId }, search: { task, tab: 'data' } });
      }
    },
    [nodes, navigate],
  );
  return (
    <>
      <div className={css.graph}>
        <Suspense fallback={<SkeletonRows rows={4} label="Loading the graph" />}>
          <TraceGraph
            key={artifact.id}
            label={`What is upstream and downstream of ${artifact.name}`}
            nodes={nodes}
            edges={edges}
            start="end"
            selected={`artifact:${artifact.id}`}
            onSelect={open}
          />
        </Suspense>
      </div>
      {down.length === 0 && <p className={css.note}>No task has read it yet.</p>}
      {(cut || more) && <p className={css.note}>The newest {READERS} readers are drawn at most; the list has all of them.</p>}
    </>
  );
}

function Upstream({ found }: { found: readonly Neighbour[] }) {
  return (
    <Hop title="Upstream" columns={['Written by', 'State', 'Which had read']} none="Where it came from is not recorded." found={found} what="It read nothing." />
  );
}

function Downstream({ found }: { found: readonly Neighbour[] }) {
  return <Hop title="Downstream" columns={['Read by', 'State', 'Which wrote']} none="No task has read it yet." found={found} what="It wrote nothing." />;
}

interface HopProps {
  title: string;
  columns: string[];
  found: readonly Neighbour[];
  /** Said when there is no record, and when a record has nothing beyond it. */
  none: string;
  what: string;
}

function Hop({ title, columns, found, none, what }: HopProps) {
  return (
    <>
      <h3 className={css.title}>{title}</h3>
      {found.length === 0 ? (
        <p className={css.note}>{none}</p>
      ) : (
        <div className={table.scroller}>
          <table className={table.table} aria-label={title}>
            <thead>
              <tr>
                {columns.map((column) => (
                  <th key={column}>{column}</th>
                ))}
              </tr>
            </thead>
            <tbody>
              {found.map((each) => (
                <HopRow key={`${each.record.id} ${each.slot}`} neighbour={each} what={what} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}

function HopRow({ neighbour: { record, artifacts }, what }: { neighbour: Neighbour; what: string }) {
  return (
    <tr>
      <td>
        <Link to="/runs/$runId" params={{ runId: record.run }} search={{ task: record.task, tab: 'data' }}>
          {record.task}
        </Link>
        <span className={cx(table.cut, table.muted)}>
          run {record.run_number}, attempt {record.attempt_no}, <Ago at={record.finished_at ?? record.started_at} />
        </span>
      </td>
      <td>
        <StateBadge state={record.state} plain />
      </td>
      <td>
        {artifacts.length === 0 && <span className={table.muted}>{what}</span>}
        <ul>
          {artifacts.map((use) => (
            <Item key={`${use.slot} ${use.position}`} slot={use.slot} artifact={use.artifact} />
          ))}
        </ul>
      </td>
    </tr>
  );
}

function Item({ slot, artifact }: { slot: string; artifact: ArtifactItem }) {
  return (
    <li className={css.item}>
      <Link to="/artifacts/$artifactId" params={{ artifactId: artifact.id }}>
        {artifact.name}
      </Link>
      <span className={cx(table.muted, table.nowrap)}>
        {[artifact.name.endsWith(`.${slot}`) ? '' : `as ${slot}`, artifact.kind, formatBytes(artifact.size)].filter(Boolean).join(', ')}
      </span>
    </li>
  );
}
