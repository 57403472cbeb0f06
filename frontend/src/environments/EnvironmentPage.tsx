import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { RotateCw } from 'lucide-react';
import { buildAgain, environmentQuery, isUnderway } from '../api/environments';
import { Problem, sentenceOf } from '../api/problem';
import type { EnvironmentDetail } from '../api/types';
import { Button } from '../ui/Button';
import { Ago, Digest, Fact, Facts } from '../ui/Facts';
import { ErrorState, NotFound, Notice, SkeletonRows } from '../ui/Feedback';
import { formatBytes } from '../ui/format';
import { PageBody, PageHead, Section, useTitle } from '../ui/Page';
import table from '../ui/Table.module.css';
import { BuildLog } from './BuildLog';
import { EnvironmentState } from './EnvironmentState';
import css from './Environments.module.css';
import { pythonOf, titleOf } from './words';

const route = getRouteApi('/shell/environments/$environmentId');

/** One environment: how far it is, what is in it, where it lies, and what was said while it was built. */
export function EnvironmentPage() {
  const { environmentId } = route.useParams();
  const query = useQuery(environmentQuery(environmentId));
  useTitle(query.data ? titleOf(query.data) : null, 'Environment');
  if (query.isPending) {
    return (
      <PageBody>
        <SkeletonRows label="Loading the environment" />
      </PageBody>
    );
  }
  if (query.isError && !query.data) {
    return (
      <PageBody>
        {query.error instanceof Problem && query.error.status === 404 ? (
          <NotFound title="There is no such environment, or you may not see it.">
            <Link to="/environments">To the environments</Link>
          </NotFound>
        ) : (
          <ErrorState
            page
            title="The environment could not be loaded."
            detail={sentenceOf(query.error)}
            offline={query.error instanceof Problem && query.error.unreachable}
            onRetry={() => void query.refetch()}
          />
        )}
      </PageBody>
    );
  }
  return <Loaded environment={query.data} />;
}

function Loaded({ environment }: { environment: EnvironmentDetail }) {
  const { id, state, build, packages } = environment;
  return (
    <PageBody>
      <PageHead
        above={<Link to="/environments">Environments</Link>}
        title={titleOf(environment)}
        below={<State environment={environment} />}
        actions={environment.may_build && (state === 'failed' || state === 'missing') && <BuildAgain environment={environment} />}
      />
      <Troubles environment={environment} />
      <Section title="About">
        <About environment={environment} />
      </Section>
      {build > 0 && (
        <Section title="Log of the build" flush>
          <BuildLog key={build} id={id} build={build} />
        </Section>
      )}
      {packages.length > 0 && (
        <Section title="Packages" count={packages.length} flush>
          <Packages packages={packages} />
        </Section>
      )}
    </PageBody>
  );
}

function State({ environment: { state, progress } }: { environment: EnvironmentDetail }) {
  return (
    <span className={css.state} role="status">
      <EnvironmentState state={state} progress={progress} />
      {progress && <span>{progress}</span>}
    </span>
  );
}

function BuildAgain({ environment }: { environment: EnvironmentDetail }) {
  const queryClient = useQueryClient();
  const build = useMutation({
    mutationFn: () => buildAgain(environment.id),
    onSuccess: (after) => {
      queryClient.setQueryData(environmentQuery(environment.id).queryKey, after);
      void queryClient.invalidateQueries({ queryKey: ['environments', 'list'] });
    },
  });
  return (
    <>
      {build.isError && <Notice>{sentenceOf(build.error)}</Notice>}
      <Button icon={<RotateCw />} busy={build.isPending} disabled={isUnderway(environment)} onClick={() => build.mutate()}>
        Build again
      </Button>
    </>
  );
}

/** Why tasks cannot run in it, and what could not be imported ahead of them. */
function Troubles({ environment: { state, problem, preload_problems: preload } }: { environment: EnvironmentDetail }) {
  return (
    <>
      {problem && <Notice look={state === 'failed' ? 'failed' : 'retrying'}>It could not be built: {problem}.</Notice>}
      {preload.length > 0 && (
        <Notice look="retrying">
          Not imported ahead of tasks, although the code asks for it:
          <ul>
            {preload.map(({ module, problem: why }) => (
              <li key={module}>
                <code>{module}</code>: {why}
              </li>
            ))}
          </ul>
        </Notice>
      )}
    </>
  );
}

function About({ environment }: { environment: EnvironmentDetail }) {
  const { used_by: users, hosts, lock_sha256: lock, wanted, built_at: builtAt, used_at: usedAt } = environment;
  return (
    <Facts>
      <Fact name="Used by">
        {users.length === 0
          ? 'no code location now; older versions may still use it'
          : users.map(({ id, team, name }) => (
              <div key={id}>
                <Link to="/code/$locationId" params={{ locationId: id }}>
                  {team}:{name}
                </Link>
              </div>
            ))}
      </Fact>
      <Fact name="Python">{pythonOf(environment)}</Fact>
      {wanted && environment.python && (
        <Fact name="Wanted Python">
          <code>{wanted}</code>
        </Fact>
      )}
      {lock && (
        <Fact name="Lock file">
          <Digest value={lock} />
        </Fact>
      )}
      {hosts.map(({ host, path, size }) => (
        <Fact key={host} name={`On ${host}`}>
          <code className={css.path}>{path}</code>, {formatBytes(size)}
        </Fact>
      ))}
      {builtAt && (
        <Fact name="Built">
          <Ago at={builtAt} />
        </Fact>
      )}
      <Fact name="Last used">{usedAt ? <Ago at={usedAt} /> : 'never'}</Fact>
    </Facts>
  );
}

function Packages({ packages }: { packages: EnvironmentDetail['packages'] }) {
  return (
    <div className={css.packages} tabIndex={0} role="region" aria-label="Packages">
      <table className={`${table.table} ${table.dense}`}>
        <thead>
          <tr>
            <th>Package</th>
            <th>Version</th>
          </tr>
        </thead>
        <tbody>
          {packages.map(({ name, version }) => (
            <tr key={name}>
              <td>{name}</td>
              <td className={css.path}>{version}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
