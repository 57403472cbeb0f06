import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Package } from 'lucide-react';
import { environmentsQuery } from '../api/environments';
import type { Environment } from '../api/types';
import { Listed } from '../lists/Listed';
import { Ago } from '../ui/Facts';
import { EmptyState } from '../ui/Feedback';
import { formatBytes } from '../ui/format';
import { Card, PageBody, PageHead, useTitle } from '../ui/Page';
import table from '../ui/Table.module.css';
import { EnvironmentState } from './EnvironmentState';
import css from './Environments.module.css';
import { pythonOf, titleOf } from './words';

/** Every environment of the code that one sees, with how far it is. */
export function EnvironmentsPage() {
  useTitle('Environments');
  return (
    <PageBody>
      <PageHead
        title="Environments"
        below="Python and the packages that a lock file names. Each is built once and shared by all code with the same lock file."
      />
      <Card>
        <EnvironmentsTable />
      </Card>
    </PageBody>
  );
}

function EnvironmentsTable() {
  const query = useInfiniteQuery(environmentsQuery);
  return (
    <Listed query={query} what="the environments" skeletons={6} empty={<NoneYet />}>
      {(environments) => (
        <div className={table.scroller}>
          <table className={table.table}>
            <thead>
              <tr>
                <th>Used by</th>
                <th>State</th>
                <th>Python</th>
                <th className={table.right}>Packages</th>
                <th className={table.right}>Size</th>
                <th>Last used</th>
              </tr>
            </thead>
            <tbody>
              {environments.map((environment) => (
                <Row key={environment.id} environment={environment} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Listed>
  );
}

function Row({ environment }: { environment: Environment }) {
  const { id, state, progress, problem, package_count: packages, size, used_at: usedAt } = environment;
  const said = problem || progress;
  return (
    <tr>
      <td className={css.name}>
        <Link to="/environments/$environmentId" params={{ environmentId: id }} className={table.cut}>
          {titleOf(environment)}
        </Link>
        {said && (
          <span className={`${table.cut} ${css.soft}`} title={said}>
            {said}
          </span>
        )}
      </td>
      <td>
        <EnvironmentState state={state} progress={progress} />
      </td>
      <td className={table.nowrap}>{pythonOf(environment)}</td>
      <td className={table.right}>{packages}</td>
      <td className={`${table.right} ${table.nowrap}`}>{size > 0 ? formatBytes(size) : '–'}</td>
      <td className={`${table.soft} ${table.nowrap}`}>{usedAt ? <Ago at={usedAt} /> : 'never'}</td>
    </tr>
  );
}

function NoneYet() {
  return (
    <EmptyState icon={<Package />} title="No environments yet">
      Code that comes with a lock file gets one as soon as it is synced.
    </EmptyState>
  );
}
