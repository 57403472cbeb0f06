import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { Download } from 'lucide-react';
import { artifactQuery, contentAddress } from '../api/artifacts';
import { addressOf } from '../api/pipelines';
import { Problem, sentenceOf } from '../api/problem';
import type { Artifact } from '../api/types';
import { ButtonLink } from '../ui/Button';
import { Ago, Digest, Fact, Facts, Moment, PersonName } from '../ui/Facts';
import { ErrorState, NotFound, Skeleton, SkeletonRows } from '../ui/Feedback';
import { formatBytes } from '../ui/format';
import { PageBody, PageHead, Section, useTitle } from '../ui/Page';
import css from './ArtifactPage.module.css';
import { Neighbours } from './Neighbours';
import { PreviewSection } from './preview/PreviewSection';

const route = getRouteApi('/shell/artifacts/$artifactId');

/** One artifact: what is in it, who made it, and what is one step away. */
export function ArtifactPage() {
  const { artifactId } = route.useParams();
  const query = useQuery(artifactQuery(artifactId));
  useTitle(query.data?.name ?? 'Artifact');
  if (query.isPending) return <Loading />;
  if (query.isError && !query.data) return <Failed error={query.error} onRetry={() => void query.refetch()} />;
  return <Loaded artifact={query.data} />;
}

function Loading() {
  return (
    <PageBody>
      <Skeleton width={320} height={20} />
      <Skeleton width={420} />
      <SkeletonRows label="Loading the artifact" />
    </PageBody>
  );
}

function Failed({ error, onRetry }: { error: unknown; onRetry: () => void }) {
  if (error instanceof Problem && error.status === 404) {
    return (
      <PageBody>
        <NotFound title="There is no such artifact, or you may not see it.">
          <Link to="/runs">To the runs</Link>
        </NotFound>
      </PageBody>
    );
  }
  return (
    <PageBody>
      <ErrorState
        page
        title="The artifact could not be loaded."
        detail={sentenceOf(error)}
        offline={error instanceof Problem && error.unreachable}
        onRetry={onRetry}
      />
    </PageBody>
  );
}

function Loaded({ artifact }: { artifact: Artifact }) {
  const { produced_by: producer } = artifact;
  return (
    <PageBody>
      <PageHead
        above={producer && <Way producer={producer} />}
        title={artifact.name}
        below={<MadeBy artifact={artifact} />}
        actions={
          artifact.present && (
            <ButtonLink icon={<Download />} href={contentAddress(artifact.id)} download>
              {artifact.is_folder ? 'Download the list of files' : 'Download'}
            </ButtonLink>
          )
        }
      />
      <div className={css.columns}>
        <div className={css.main}>
          <PreviewSection artifact={artifact} />
          <Neighbours artifact={artifact} />
        </div>
        <About artifact={artifact} />
      </div>
    </PageBody>
  );
}

type Producer = NonNullable<Artifact['produced_by']>;

/** Pipeline, run and task, each a link. */
function Way({ producer }: { producer: Producer }) {
  const { pipeline } = producer;
  return (
    <>
      <Link to="/pipelines/$name" params={{ name: addressOf(pipeline) }}>
        {pipeline.title || pipeline.name}
      </Link>{' '}
      /{' '}
      <Link to="/runs/$runId" params={{ runId: producer.run }}>
        run {producer.run_number}
      </Link>{' '}
      /{' '}
      <Link to="/runs/$runId" params={{ runId: producer.run }} search={{ task: producer.task, tab: 'data' }}>
        {producer.task}
      </Link>
    </>
  );
}

function MadeBy({ artifact: { kind, size, produced_by: producer, created_at: at } }: { artifact: Artifact }) {
  return (
    <>
      {kind}, {formatBytes(size)}
      {producer && (
        <>
          , written by task <strong>{producer.task}</strong>, attempt {producer.attempt_no}
        </>
      )}
      , <Ago at={producer?.finished_at ?? at} />
      {producer?.requested_by && (
        <>
          . The run was asked for by <PersonName person={producer.requested_by} />
        </>
      )}
      .
    </>
  );
}

function About({ artifact }: { artifact: Artifact }) {
  const { produced_by: producer, file_name: file } = artifact;
  return (
    <Section title="About">
      <Facts>
        <Fact name="Kind">{artifact.kind}</Fact>
        <Fact name="Size">{formatBytes(artifact.size)}</Fact>
        <Fact name="Digest">
          <Digest value={artifact.sha256} />
        </Fact>
        {artifact.media_type && <Fact name="Media type">{artifact.media_type}</Fact>}
        {file && <Fact name="File">{file}</Fact>}
        <Fact name="Team">{artifact.team}</Fact>
        {producer && (
          <>
            <Fact name="Version">
              <Link to="/pipelines/$name" params={{ name: addressOf(producer.pipeline) }} search={{ version: producer.version }}>
                version {producer.version}
              </Link>
            </Fact>
            <Fact name="Output">{artifact.slot}</Fact>
            <Fact name="Written at">
              <Moment at={producer.finished_at ?? artifact.created_at} />
            </Fact>
            <Fact name="Record">
              <Digest value={producer.digest} />
            </Fact>
          </>
        )}
      </Facts>
    </Section>
  );
}
