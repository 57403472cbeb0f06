import { useInfiniteQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { SearchX, UserRoundCheck, Workflow } from 'lucide-react';
import { useMemo } from 'react';
import { addressOf, pipelinesQuery, type PipelineFilter } from '../api/pipelines';
import { runsQuery, shownState } from '../api/runs';
import type { Pipeline } from '../api/types';
import { useLiveQueries } from '../api/useFleet';
import { Listed } from '../lists/Listed';
import { Button } from '../ui/Button';
import { Ago } from '../ui/Facts';
import { EmptyState } from '../ui/Feedback';
import { SearchBox, Select } from '../ui/Fields';
import { Card, PageBody, PageHead, useTitle } from '../ui/Page';
import { Segments } from '../ui/Segments';
import { StateBadge } from '../ui/StateBadge';
import table from '../ui/Table.module.css';
import { useDelayed } from '../ui/useDelayed';
import { NewPipelineButton } from './NewPipeline';
import { ChangeOwnership, KeeperName } from './Ownership';
import css from './PipelinesPage.module.css';
import { RunButton } from './RunDialog';
import { RunGlyphs } from './RunGlyphs';

const route = getRouteApi('/shell/pipelines');

const STATES = [
  ['', 'Any last state'],
  ['running', 'Running'],
  ['failed', 'Failed'],
  ['succeeded', 'Succeeded'],
  ['queued', 'Queued'],
  ['cancelled', 'Cancelled'],
] as const;

export function PipelinesPage() {
  useTitle('Pipelines');
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const [q, setQ] = useDelayed(search.q ?? '', (value) =>
    void navigate({ search: (old) => ({ ...old, q: value.trim() || undefined }), replace: true }),
  );
  const clear = () => void navigate({ search: {}, replace: true });
  return (
    <PageBody>
      <PageHead title="Pipelines" actions={<NewPipelineButton />} />
      <div className={css.filters}>
        <SearchBox label="Find a pipeline" value={q} onChange={setQ} className={css.search} />
        <Select
          aria-label="Last state"
          className={css.state}
          value={search.state ?? ''}
          onChange={(event) =>
            void navigate({ search: (old) => ({ ...old, state: event.target.value || undefined }), replace: true })
          }
        >
          {STATES.map(([value, word]) => (
            <option key={value} value={value}>
              {word}
            </option>
          ))}
        </Select>
        <WhoseChips />
        {(search.q !== undefined || search.state !== undefined || search.owner !== undefined) && (
          <Button small look="quiet" onClick={clear}>
            Show all
          </Button>
        )}
      </div>
      <Card>
        <PipelinesTable />
      </Card>
    </PageBody>
  );
}

type Whose = 'all' | 'me' | 'none';

/** Whose pipelines are listed, with the number of those that nobody keeps. */
function WhoseChips() {
  const { owner } = route.useSearch();
  const navigate = route.useNavigate();
  const { data } = useInfiniteQuery(pipelinesQuery({ owner: 'none' }));
  const orphans = data?.pages.flatMap((page) => page.results).length ?? 0;
  const count = `${orphans}${data?.pages.at(-1)?.next ? '+' : ''}`;
  return (
    <Segments<Whose>
      label="Whose pipelines"
      value={owner ?? 'all'}
      onChange={(next) =>
        void navigate({ search: (old) => ({ ...old, owner: next === 'all' ? undefined : next }), replace: true })
      }
      items={[
        { value: 'all', label: 'All' },
        { value: 'me', label: 'Mine', title: 'Pipelines that you own' },
        { value: 'none', label: <>No owner {orphans > 0 && <span className={css.count}>{count}</span>}</>, title: 'Pipelines without an active owner' },
      ]}
    />
  );
}

function PipelinesTable() {
  const search = route.useSearch();
  const filter: PipelineFilter = {
    ...(search.q ? { q: search.q } : {}),
    ...(search.state ? { state: search.state } : {}),
    ...(search.owner ? { owner: search.owner } : {}),
  };
  const query = useInfiniteQuery(pipelinesQuery(filter));
  const asking = useAsking();
  useLiveQueries('fleet', '*', [['pipelines', 'list'], ['runs', 'list']]);
  return (
    <Listed query={query} what="the pipelines" skeletons={6} empty={Object.keys(filter).length > 0 ? <NoneFound filter={filter} /> : <NoneYet />}>
      {(pipelines) => (
        <div className={table.scroller}>
          <table className={table.table}>
            <thead>
              <tr>
                <th>Pipeline</th>
                <th>Last runs</th>
                <th>Last state</th>
                <th>Version</th>
                <th>Owner</th>
                <th>Team</th>
                <th>
                  <span className="visually-hidden">Actions</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {pipelines.map((pipeline) => (
                <Row key={pipeline.id} pipeline={pipeline} asking={asking} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Listed>
  );
}

const NONE: ReadonlySet<string> = new Set();

/** The runs that wait for a person; the list of pipelines itself does not tell. */
function useAsking(): ReadonlySet<string> {
  const { data } = useInfiniteQuery(runsQuery({ state: 'running' }));
  return useMemo(() => {
    const runs = data?.pages.flatMap((page) => page.results) ?? [];
    const asking = runs.filter((run) => shownState(run) === 'awaiting_approval');
    return asking.length === 0 ? NONE : new Set(asking.map((run) => run.id));
  }, [data]);
}

function Row({ pipeline, asking }: { pipeline: Pipeline; asking: ReadonlySet<string> }) {
  const version = pipeline.active_version;
  const [last] = pipeline.last_runs;
  return (
    <tr>
      <td className={table.name}>
        <span className={table.cut}>
          <Link to="/pipelines/$name" params={{ name: addressOf(pipeline) }} title={pipeline.name}>
            {pipeline.title || pipeline.name}
          </Link>
        </span>
        {pipeline.title && (
          <span className={`${table.cut} ${table.muted}`} title={pipeline.name}>
            {pipeline.name}
          </span>
        )}
      </td>
      <td className={table.nowrap}>
        <RunGlyphs pipeline={pipeline} asking={asking} />
      </td>
      <td className={table.nowrap}>
        {pipeline.state ? <StateBadge state={last && asking.has(last.id) ? 'awaiting_approval' : pipeline.state} plain /> : <span className={table.muted}>never run</span>}
        {last && (
          <span className={`${table.cut} ${table.muted}`}>
            <Ago at={last.created_at} />
          </span>
        )}
      </td>
      <td className={table.soft}>
        {version ? <span title={version.message}>{version.number}</span> : <span className={table.muted}>draft</span>}
      </td>
      <td className={`${table.soft} ${table.short}`}>
        <KeeperName keeper={pipeline.owner} none="no owner" />
        {!pipeline.owner?.active && (
          <div className={css.assign}>
            <ChangeOwnership pipeline={pipeline} label="Assign" />
          </div>
        )}
      </td>
      <td className={`${table.soft} ${table.short}`}><span title={pipeline.team}>{pipeline.team}</span></td>
      <td className={table.right}>
        <RunButton pipeline={pipeline} small />
      </td>
    </tr>
  );
}

function NoneFound({ filter }: { filter: PipelineFilter }) {
  if (filter.owner === 'none' && Object.keys(filter).length === 1) {
    return <EmptyState icon={<UserRoundCheck />} title="Every pipeline has an active owner" />;
  }
  return (
    <EmptyState icon={<SearchX />} title="No pipeline fits the filter">
      Search looks at names, titles and descriptions of the pipelines that you may see.
    </EmptyState>
  );
}

function NoneYet() {
  return (
    <EmptyState icon={<Workflow />} title="No pipelines yet">
      <p>Draw one with New pipeline, at the top of this page. Or publish a YAML document from your shell:</p>
      <pre className={css.howto}>
        {'orchestrator validate pipeline.yaml\norchestrator apply pipeline.yaml'}
      </pre>
    </EmptyState>
  );
}
