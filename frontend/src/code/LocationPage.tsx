import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { Archive, Pencil, RefreshCw } from 'lucide-react';
import { useState } from 'react';
import { Sharing } from '../access/Sharing';
import { blocksQuery } from '../api/catalogue';
import { locationQuery, snapshotsQuery, syncLocation, type Block, type CodeLocation, type Snapshot } from '../api/code';
import { Problem, sentenceOf } from '../api/problem';
import { Listed } from '../lists/Listed';
import { EnvironmentState } from '../environments/EnvironmentState';
import { EnvironmentTrouble } from '../environments/EnvironmentTrouble';
import { Button } from '../ui/Button';
import { Ago, Digest, Fact, Facts } from '../ui/Facts';
import { ErrorState, NotFound, Notice, Skeleton, SkeletonRows } from '../ui/Feedback';
import { formatBytes, plural } from '../ui/format';
import { PageBody, PageHead, Section, useTitle } from '../ui/Page';
import table from '../ui/Table.module.css';
import { ArchiveLocationDialog, ChangeLocationDialog } from './ChangeLocationDialog';
import css from './Code.module.css';
import { CommitLine, LocationState, Progress } from './State';
import { shortCommit, shortRef, STATES } from './words';

const route = getRouteApi('/shell/code/$locationId');

/** One code location: where it stands, what a sync found, and every snapshot it had. */
export function LocationPage() {
  const { locationId } = route.useParams();
  const query = useQuery(locationQuery(locationId));
  useTitle(query.data?.name, 'Code');
  if (query.isPending) {
    return (
      <PageBody>
        <Skeleton width={280} height={20} />
        <SkeletonRows label="Loading the code location" />
      </PageBody>
    );
  }
  if (query.isError && !query.data) {
    const missing = query.error instanceof Problem && query.error.status === 404;
    return (
      <PageBody>
        {missing ? (
          <NotFound title="There is no such code location.">
            <Link to="/code">To the code</Link>
          </NotFound>
        ) : (
          <ErrorState page title="The code location could not be loaded." detail={sentenceOf(query.error)} onRetry={() => void query.refetch()} />
        )}
      </PageBody>
    );
  }
  return <Loaded location={query.data} />;
}

function Loaded({ location }: { location: CodeLocation }) {
  const sync = useSync(location);
  return (
    <PageBody>
      <PageHead
        above={
          <>
            <Link to="/code">Code</Link> / {location.team}:{location.name}
          </>
        }
        title={location.name}
        below={location.address}
        actions={<Actions location={location} onSync={() => sync.mutate()} busy={sync.isPending} />}
      />
      {location.syncing && <Progress syncing={location.syncing} />}
      {sync.isError && <Notice>{sentenceOf(sync.error)}</Notice>}
      <Trouble location={location} />
      <div className={css.columns}>
        <div className={css.main}>
          <Blocks location={location} />
          <Snapshots location={location} />
        </div>
        <div className={css.side}>
          <About location={location} />
          <EnvironmentOf location={location} />
          <Sharing thing={{ ...location, kind: 'codelocation' }} />
        </div>
      </div>
    </PageBody>
  );
}

function useSync(location: CodeLocation) {
  const queryClient = useQueryClient();
  const read = () => queryClient.invalidateQueries({ queryKey: ['code', 'one', location.id] });
  return useMutation({ mutationFn: () => syncLocation(location.id), onSettled: read });
}

function Actions({ location, onSync, busy }: { location: CodeLocation; onSync: () => void; busy: boolean }) {
  const [dialog, setDialog] = useState<'change' | 'archive' | null>(null);
  const close = () => setDialog(null);
  return (
    <>
      {location.can.manage && (
        <Button icon={<Archive />} onClick={() => setDialog('archive')}>
          Archive
        </Button>
      )}
      {location.can.manage && location.kind === 'git' && (
        <Button icon={<Pencil />} onClick={() => setDialog('change')}>
          Change
        </Button>
      )}
      {location.can.sync && (
        <Button look="primary" icon={<RefreshCw />} busy={busy || location.syncing !== null} onClick={onSync}>
          Sync
        </Button>
      )}
      {dialog === 'change' && <ChangeLocationDialog location={location} onClose={close} />}
      {dialog === 'archive' && <ArchiveLocationDialog location={location} onClose={close} />}
    </>
  );
}

/** What is wrong or left out, in the words of the server, which say how to go on. */
function Trouble({ location }: { location: CodeLocation }) {
  const { hint } = STATES[location.state];
  return (
    <>
      {location.sync_error && <Notice>{location.sync_error}</Notice>}
      <EnvironmentTrouble environment={location.environment} />
      {location.check_error && location.check_error !== location.sync_error && (
        <Notice look="retrying">It could not be looked at for new commits: {location.check_error}</Notice>
      )}
      {hint && !location.syncing && (
        <Notice look={location.state === 'diverged' ? 'failed' : 'retrying'}>
          {STATES[location.state].word}: {hint}
        </Notice>
      )}
      {location.notes.length > 0 && (
        <Notice look="retrying">
          <ul className={css.notes} aria-label="Left out of the snapshot">
            {location.notes.map((note) => (
              <li key={note}>{note}</li>
            ))}
          </ul>
        </Notice>
      )}
    </>
  );
}

function About({ location }: { location: CodeLocation }) {
  const { commit } = location;
  return (
    <Section title="About">
      <Facts>
        <Fact name="State">
          <LocationState location={location} />
        </Fact>
        {commit && (
          <Fact name="Commit">
            <CommitLine commit={commit} />
          </Fact>
        )}
        {commit?.branch && <Fact name={commit.branch.startsWith('refs/tags/') ? 'Tag' : 'Branch'}>{shortRef(commit.branch)}</Fact>}
        {location.remote_commit !== '' && location.remote_commit !== commit?.sha && (
          <Fact name="There is now">
            <code title={location.remote_commit}>{shortCommit(location.remote_commit)}</code>
          </Fact>
        )}
        <Fact name="Synced">{location.synced_at ? <Ago at={location.synced_at} /> : 'never'}</Fact>
        {location.checked_at && (
          <Fact name="Looked at">
            <Ago at={location.checked_at} />
          </Fact>
        )}
        {location.kind === 'git' && <Repository location={location} />}
        <Fact name="Lock file">{location.lock_file || 'none'}</Fact>
        {location.preload.length > 0 && <Fact name="Preloaded">{location.preload.join(', ')}</Fact>}
      </Facts>
    </Section>
  );
}

function Repository({ location }: { location: CodeLocation }) {
  return (
    <>
      <Fact name="Ref">{location.ref || 'the main branch'}</Fact>
      <Fact name="Folder">{location.folder || 'all of the repository'}</Fact>
      <Fact name="Secret">{location.secret ? <code>{location.secret}</code> : 'none'}</Fact>
      <Fact name="New commits">{location.auto_sync ? 'synced by themselves' : 'synced when somebody presses Sync'}</Fact>
      {location.host_keys.map((key) => (
        <Fact key={`${key.host} ${key.fingerprint}`} name="Host key">
          {key.host}, {key.kind} <code>{key.fingerprint}</code>
        </Fact>
      ))}
    </>
  );
}

function EnvironmentOf({ location: { environment } }: { location: CodeLocation }) {
  if (!environment) return null;
  return (
    <Section title="Environment">
      <Facts>
        <Fact name="State">
          <Link to="/environments/$environmentId" params={{ environmentId: environment.id }}>
            <EnvironmentState state={environment.state} progress={environment.progress} />
          </Link>
        </Fact>
        {environment.progress && <Fact name="Doing">{environment.progress}</Fact>}
      </Facts>
      {environment.problem && environment.state !== 'failed' && <Notice>{environment.problem}</Notice>}
      {Object.entries(environment.preload_problems).map(([module, why]) => (
        <Notice key={module} look="retrying">
          {module} is not preloaded: {why}
        </Notice>
      ))}
    </Section>
  );
}

function Blocks({ location }: { location: CodeLocation }) {
  const query = useQuery({ ...blocksQuery(location), enabled: location.snapshot !== null });
  const blocks = query.data?.blocks ?? [];
  return (
    <Section title="Blocks" count={blocks.length} flush>
      {location.snapshot === null && <p className={css.none}>They are found by the first sync.</p>}
      {query.isLoading && <SkeletonRows rows={3} label="Loading the blocks" />}
      {query.isError && <ErrorState title="The blocks could not be loaded." detail={sentenceOf(query.error)} onRetry={() => void query.refetch()} />}
      {query.data && blocks.length === 0 && <p className={css.none}>No function with type hints was found. A plain function with hints is a block.</p>}
      {blocks.length > 0 && (
        <div className={table.scroller}>
          <table className={`${table.table} ${table.dense}`}>
            <thead>
              <tr>
                <th>Function</th>
                <th>Takes</th>
                <th>Gives</th>
              </tr>
            </thead>
            <tbody>
              {blocks.map((block) => (
                <BlockRow key={block.id} block={block} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Section>
  );
}

function BlockRow({ block }: { block: Block }) {
  const named = (ports: Block['inputs']) => ports.map(({ name, type }) => `${name}: ${type}`).join(', ') || '–';
  return (
    <tr>
      <td>
        <code title={block.doc}>{block.id}</code>
        {block.problem && <div className={css.soft}>cannot be used: {block.problem}</div>}
      </td>
      <td className={css.ports}>{named(block.inputs)}</td>
      <td className={css.ports}>{named(block.outputs)}</td>
    </tr>
  );
}

function Snapshots({ location }: { location: CodeLocation }) {
  const query = useInfiniteQuery(snapshotsQuery(location.id, location.synced_at));
  return (
    <Section title="Snapshots" flush>
      <Listed query={query} what="the snapshots" empty={<p className={css.none}>None yet.</p>}>
        {(snapshots) => (
          <div className={table.scroller}>
            <table className={table.table}>
              <thead>
                <tr>
                  <th>Snapshot</th>
                  <th>Commit</th>
                  <th className={table.wide}>Size</th>
                  <th>First seen</th>
                </tr>
              </thead>
              <tbody>
                {snapshots.map((snapshot) => (
                  <SnapshotRow key={snapshot.id} snapshot={snapshot} current={snapshot.id === location.snapshot?.id} />
                ))}
              </tbody>
            </table>
          </div>
        )}
      </Listed>
    </Section>
  );
}

function SnapshotRow({ snapshot, current }: { snapshot: Snapshot; current: boolean }) {
  return (
    <tr>
      <td className={table.nowrap}>
        <Digest value={snapshot.tree_sha256} /> {current && <span className={css.current}>last synced</span>}
      </td>
      <td>{snapshot.commit ? <CommitLine commit={snapshot.commit} /> : <span className={table.muted}>none</span>}</td>
      <td className={`${table.soft} ${table.wide} ${table.nowrap}`}>
        {plural(snapshot.file_count, 'file')}, {formatBytes(snapshot.size)}
      </td>
      <td className={`${table.soft} ${table.nowrap}`}>
        <Ago at={snapshot.created_at} />
      </td>
    </tr>
  );
}
