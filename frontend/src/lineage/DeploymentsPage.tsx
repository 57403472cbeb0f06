import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Rocket } from 'lucide-react';
import { deploymentsQuery, endpointAddress } from '../api/lineage';
import type { DeploymentItem } from '../api/types';
import { Listed } from '../lists/Listed';
import { Ago, PersonName } from '../ui/Facts';
import { EmptyState } from '../ui/Feedback';
import { Card, PageBody, PageHead, useTitle } from '../ui/Page';
import table from '../ui/Table.module.css';

export function DeploymentsPage() {
  useTitle('Deployments');
  return (
    <PageBody>
      <PageHead title="Deployments" below="Every endpoint, and the model version that answers there now." />
      <Card>
        <DeploymentsTable />
      </Card>
    </PageBody>
  );
}

function DeploymentsTable() {
  const query = useInfiniteQuery(deploymentsQuery);
  return (
    <Listed query={query} what="the deployments" skeletons={6} empty={<NoneYet />}>
      {(deployments) => (
        <div className={table.scroller}>
          <table className={table.table}>
            <thead>
              <tr>
                <th>Endpoint</th>
                <th>Stage</th>
                <th>Model version</th>
                <th>Since</th>
                <th>By</th>
                <th>Team</th>
              </tr>
            </thead>
            <tbody>
              {deployments.map((deployment) => (
                <Row key={endpointAddress(deployment.endpoint)} deployment={deployment} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Listed>
  );
}

function Row({ deployment: { endpoint, current } }: { deployment: DeploymentItem }) {
  return (
    <tr>
      <td className={table.name}>
        <span className={table.cut}>
          <Link to="/deployments/$endpoint" params={{ endpoint: endpointAddress(endpoint) }}>
            {endpoint.name}
          </Link>
        </span>
        <span className={`${table.cut} ${table.muted}`} title={endpoint.address}>
          {endpoint.address}
        </span>
      </td>
      <td className={table.soft}>{endpoint.stage}</td>
      <td>
        {current ? (
          `${current.model} version ${current.version}`
        ) : (
          <span className={table.muted}>nothing deployed</span>
        )}
      </td>
      <td className={`${table.soft} ${table.nowrap}`}>{current ? <Ago at={current.since} /> : '–'}</td>
      <td className={`${table.soft} ${table.short}`}>{current ? <PersonName person={current.moved_by} none="a pipeline" /> : '–'}</td>
      <td className={`${table.soft} ${table.short}`}><span title={endpoint.team}>{endpoint.team}</span></td>
    </tr>
  );
}

function NoneYet() {
  return (
    <EmptyState icon={<Rocket />} title="No endpoints yet">
      An endpoint appears here once it is registered. A task of kind <code>deploy</code> puts a model version on it, and from
      then on this page can tell where that model came from.
    </EmptyState>
  );
}
