import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { Rocket } from 'lucide-react';
import { Sharing } from '../access/Sharing';
import { deploymentQuery, traceQuery } from '../api/lineage';
import { Problem, sentenceOf } from '../api/problem';
import type { Deployment, Move, Trace } from '../api/types';
import { Button } from '../ui/Button';
import { Ago, Fact, Facts, Moment, PersonName } from '../ui/Facts';
import { EmptyState, ErrorState, NotFound, Skeleton, SkeletonRows } from '../ui/Feedback';
import { Input } from '../ui/Fields';
import { Card, PageBody, PageHead, Section, useTitle } from '../ui/Page';
import table from '../ui/Table.module.css';
import { fromLocal, toLocal } from '../ui/localTime';
import css from './DeploymentPage.module.css';
import { TraceFacts } from './TraceFacts';
import { TraceView } from './TraceView';

const route = getRouteApi('/shell/deployments/$endpoint');

export function DeploymentPage() {
  const { endpoint } = route.useParams();
  const { at } = route.useSearch();
  const query = useQuery(deploymentQuery(endpoint, at));
  useTitle(query.data?.endpoint.name ?? endpoint, 'Deployment');
  if (query.isPending) return <Loading />;
  if (query.isError && !query.data) {
    if (query.error instanceof Problem && query.error.status === 404) {
      return (
        <PageBody>
          <NotFound title={`There is no endpoint ${endpoint}.`}>
            <Link to="/deployments">To the deployments</Link>
          </NotFound>
        </PageBody>
      );
    }
    return (
      <PageBody>
        <ErrorState
          page
          title="The deployment could not be loaded."
          detail={sentenceOf(query.error)}
          offline={query.error instanceof Problem && query.error.unreachable}
          onRetry={() => void query.refetch()}
        />
      </PageBody>
    );
  }
  return <Loaded deployment={query.data} />;
}

function Loading() {
  return (
    <PageBody>
      <Skeleton width={260} height={20} />
      <Skeleton width={420} />
      <SkeletonRows label="Loading the deployment" />
    </PageBody>
  );
}

function Loaded({ deployment }: { deployment: Deployment }) {
  const { endpoint, current, history } = deployment;
  const { at } = route.useSearch();
  return (
    <PageBody wide>
      <PageHead
        above={
          <>
            <Link to="/deployments">Deployments</Link> / {endpoint.team}:{endpoint.name}
          </>
        }
        title={endpoint.name}
        below={<Now current={current} at={at} stage={endpoint.stage} />}
        actions={<AsOf at={at} />}
      />
      {current ? (
        <Traced />
      ) : (
        <Card>
          <EmptyState icon={<Rocket />} title={at ? 'Nothing was deployed here then' : 'Nothing is deployed here yet'}>
            A task of kind <code>deploy</code> that names this endpoint puts a model version on it.
          </EmptyState>
        </Card>
      )}
      <div className={css.columns}>
        <Section title="Endpoint">
          <Facts>
            <Fact name="Stage">{endpoint.stage}</Fact>
            <Fact name="Team">{endpoint.team}</Fact>
            <Fact name="Address">
              <code>{endpoint.address}</code>
            </Fact>
          </Facts>
        </Section>
        <Sharing thing={{ kind: 'endpoint', ...endpoint }} />
        <Section title="History" flush>
          <History moves={history} />
        </Section>
      </div>
    </PageBody>
  );
}

function Now({ current, at, stage }: { current: Move | null; at: string | undefined; stage: string }) {
  if (!current) return <>Stage {stage}.</>;
  return (
    <>
      <strong>
        {current.model} version {current.version}
      </strong>{' '}
      {at ? 'had' : 'has'} been deployed in stage {stage} since <Moment at={current.since} />
      {current.moved_by && (
        <>
          , put there by <PersonName person={current.moved_by} />
        </>
      )}
      {' with '}
      <Link to="/runs/$runId" params={{ runId: current.run }}>
        run {current.run_number}
      </Link>
      .
    </>
  );
}

/** Sets the moment for which the whole page answers. */
function AsOf({ at }: { at: string | undefined }) {
  const navigate = route.useNavigate();
  const set = (next: string | undefined) => void navigate({ search: next === undefined ? {} : { at: next }, replace: true });
  return (
    <div className={css.asOf}>
      <label htmlFor="as-of">As of</label>
      <Input
        id="as-of"
        type="datetime-local"
        step={60}
        value={toLocal(at)}
        onChange={(event) => set(fromLocal(event.target.value))}
      />
      {at !== undefined && (
        <Button look="quiet" onClick={() => set(undefined)}>
          Now
        </Button>
      )}
    </div>
  );
}

function Traced() {
  const { endpoint } = route.useParams();
  const { at } = route.useSearch();
  const query = useQuery(traceQuery(endpoint, at));
  if (query.isPending) {
    return (
      <Card>
        <SkeletonRows label="Loading the trace" />
      </Card>
    );
  }
  if (query.isError && !query.data) {
    return (
      <Card>
        <ErrorState
          title="The trace could not be loaded."
          detail={sentenceOf(query.error)}
          offline={query.error instanceof Problem && query.error.unreachable}
          onRetry={() => void query.refetch()}
        />
      </Card>
    );
  }
  const trace: Trace = query.data;
  return (
    <>
      <TraceView trace={trace} />
      <TraceFacts trace={trace} />
    </>
  );
}

function History({ moves }: { moves: readonly Move[] }) {
  if (moves.length === 0) return <p className={css.none}>Nothing was ever deployed here.</p>;
  return (
    <div className={table.scroller}>
      <table className={table.table}>
        <thead>
          <tr>
            <th>Model version</th>
            <th>Since</th>
            <th>By</th>
            <th>Run</th>
          </tr>
        </thead>
        <tbody>
          {moves.map((move) => (
            <tr key={move.id}>
              <td>
                {move.model} version {move.version}
              </td>
              <td className={table.soft}>
                <Ago at={move.since} />
              </td>
              <td className={table.soft}>
                <PersonName person={move.moved_by} none="a pipeline" />
              </td>
              <td>
                <Link to="/runs/$runId" params={{ runId: move.run }}>
                  run {move.run_number}
                </Link>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
