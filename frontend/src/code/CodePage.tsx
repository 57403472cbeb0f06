import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { FolderGit2, Plus } from 'lucide-react';
import { useState } from 'react';
import { codeQuery, type CodeLocation } from '../api/code';
import { meQuery } from '../api/me';
import { Listed } from '../lists/Listed';
import { Button } from '../ui/Button';
import { Ago } from '../ui/Facts';
import { EmptyState } from '../ui/Feedback';
import { Card, PageBody, PageHead, useTitle } from '../ui/Page';
import table from '../ui/Table.module.css';
import { AddLocationDialog, teamsToAddTo } from './AddLocationDialog';
import css from './Code.module.css';
import { LocationState } from './State';
import { shortCommit, shortRef } from './words';

/** Where the blocks of one's teams come from. */
export function CodePage() {
  useTitle('Code');
  const { data: me } = useQuery(meQuery);
  const [adding, setAdding] = useState(false);
  const may = teamsToAddTo(me).length > 0;
  return (
    <PageBody>
      <PageHead
        title="Code"
        below="Folders and Git repositories with Python functions. Each sync keeps their content as a snapshot; runs use snapshots, never the folder itself."
        actions={
          may && (
            <Button look="primary" icon={<Plus />} onClick={() => setAdding(true)}>
              Add a location
            </Button>
          )
        }
      />
      <Card>
        <LocationsTable may={may} />
      </Card>
      {adding && me && <AddLocationDialog me={me} onClose={() => setAdding(false)} />}
    </PageBody>
  );
}

function LocationsTable({ may }: { may: boolean }) {
  const query = useInfiniteQuery(codeQuery);
  return (
    <Listed query={query} what="the code locations" skeletons={6} empty={<NoneYet may={may} />}>
      {(locations) => (
        <div className={table.scroller}>
          <table className={table.table}>
            <thead>
              <tr>
                <th>Name</th>
                <th className={table.roomy}>Where</th>
                <th>State</th>
                <th className={table.wide}>Commit</th>
                <th>Synced</th>
                <th>Team</th>
              </tr>
            </thead>
            <tbody>
              {locations.map((location) => (
                <Row key={location.id} location={location} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Listed>
  );
}

function Row({ location }: { location: CodeLocation }) {
  const { commit } = location;
  return (
    <tr>
      <td className={table.name}>
        <Link to="/code/$locationId" params={{ locationId: location.id }} className={table.cut} title={location.name}>
          {location.name}
        </Link>
      </td>
      <td className={`${table.soft} ${table.roomy} ${css.address}`}>
        <span className={table.cut} title={location.address}>
          {location.address}
        </span>
      </td>
      <td>
        <LocationState location={location} />
      </td>
      <td className={`${table.soft} ${table.wide} ${table.nowrap}`}>
        {commit ? (
          <span title={commit.subject}>
            <code>{shortCommit(commit.sha)}</code> {shortRef(commit.branch)}
          </span>
        ) : (
          '–'
        )}
      </td>
      <td className={`${table.soft} ${table.nowrap}`}>{location.synced_at ? <Ago at={location.synced_at} /> : 'never'}</td>
      <td className={`${table.soft} ${table.short}`}>
        <span title={location.team}>{location.team}</span>
      </td>
    </tr>
  );
}

function NoneYet({ may }: { may: boolean }) {
  return (
    <EmptyState icon={<FolderGit2 />} title="No code yet">
      {may
        ? 'Add a Git repository, and its functions can be used as tasks.'
        : 'An admin of your team can add a Git repository; then its functions can be used as tasks.'}
    </EmptyState>
  );
}
