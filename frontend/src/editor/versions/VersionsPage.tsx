import { useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useState } from 'react';
import { addressOf, pipelineQuery, versionQuery } from '../../api/pipelines';
import { Problem, sentenceOf } from '../../api/problem';
import type { Pipeline, VersionItem } from '../../api/types';
import { useLiveQueries } from '../../api/useFleet';
import { ErrorState, NotFound, SkeletonRows } from '../../ui/Feedback';
import { Card, PageBody, PageHead, useTitle } from '../../ui/Page';
import { RestoreDialog } from './RestoreDialog';
import { restoreOnServer } from './restoring';
import { VersionList } from './VersionList';

const route = getRouteApi('/shell/pipelines/$name/versions');

/** The history of a pipeline. */
export function VersionsPage() {
  const { name } = route.useParams();
  const query = useQuery(pipelineQuery(name));
  useLiveQueries('pipeline', query.data?.id ?? null, [['pipelines']]);
  useTitle('Versions', query.data ? query.data.title || query.data.name : null);
  if (query.data) return <Loaded pipeline={query.data} />;
  return (
    <PageBody>
      {query.isPending && <SkeletonRows label="Loading the pipeline" />}
      {query.isError && <Failed name={name} problem={query.error} onRetry={() => void query.refetch()} />}
    </PageBody>
  );
}

/** Why a page about a pipeline shows nothing. */
export function Failed({ name, problem, onRetry }: { name: string; problem: Error; onRetry: () => void }) {
  if (problem instanceof Problem && problem.status === 404) {
    return (
      <NotFound title={`There is no pipeline ${name}, or no such version.`}>
        <Link to="/pipelines">To the pipelines</Link>
      </NotFound>
    );
  }
  return <ErrorState page title="The versions could not be loaded." detail={sentenceOf(problem)} onRetry={onRetry} />;
}

function Loaded({ pipeline }: { pipeline: Pipeline }) {
  const address = addressOf(pipeline);
  const queryClient = useQueryClient();
  const [restoring, setRestoring] = useState<VersionItem | null>(null);
  const restore = async (number: number) =>
    restoreOnServer(address, await queryClient.query(versionQuery(address, number)), queryClient);
  return (
    <PageBody>
      <PageHead
        above={
          <>
            <Link to="/pipelines">Pipelines</Link> /{' '}
            <Link to="/pipelines/$name" params={{ name: address }}>
              {address}
            </Link>
          </>
        }
        title="Versions"
        below={pipeline.title}
      />
      <Card>
        <VersionList address={address} onRestore={pipeline.can.edit ? setRestoring : undefined} />
      </Card>
      {restoring && (
        <RestoreDialog
          address={address}
          number={restoring.number}
          restore={() => restore(restoring.number)}
          onClose={() => setRestoring(null)}
        />
      )}
    </PageBody>
  );
}
