import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { Eye, FileCode, GitCommitHorizontal, Network, Pencil } from 'lucide-react';
import { lazy, Suspense, useState, type ReactNode } from 'react';
import { Sharing } from '../access/Sharing';
import { belongsTo } from '../access/words';
import { meQuery } from '../api/me';
import { activateVersion, addressOf, pipelineQuery, versionQuery, versionsQuery } from '../api/pipelines';
import { Problem, sentenceOf } from '../api/problem';
import type { Pipeline, VersionItem } from '../api/types';
import { useLiveQueries } from '../api/useFleet';
import { Listed } from '../lists/Listed';
import { PauseButton, PausedNotice } from '../pausing/Pausing';
import { usePausablePipeline } from '../pausing/pausable';
import { Button, buttonLook } from '../ui/Button';
import { Ago, Digest, Fact, Facts, PersonName } from '../ui/Facts';
import { EmptyState, ErrorState, NotFound, Notice, Skeleton, SkeletonRows } from '../ui/Feedback';
import { Card, PageBody, PageHead, Section, useTitle } from '../ui/Page';
import { Segments } from '../ui/Segments';
import { StateBadge } from '../ui/StateBadge';
import table from '../ui/Table.module.css';
import { CodeInUse } from './CodeInUse';
import { NoOwnerNotice, Ownership } from './Ownership';
import { QuarantineNotice } from './QuarantineNotice';
import css from './PipelinePage.module.css';
import { RunButton } from './RunDialog';
import { SourceText } from './SourceText';

const VersionGraph = lazy(() => import('./VersionGraph').then((module) => ({ default: module.VersionGraph })));
const route = getRouteApi('/shell/pipelines/$name');

/** `runs` draws the runs of a pipeline: it comes from another room, so the router puts it in. */
export function PipelinePage({ runs }: { runs: (pipeline: Pipeline) => ReactNode }) {
  const { name } = route.useParams();
  const query = useQuery(pipelineQuery(name));
  useLiveQueries('pipeline', query.data?.id ?? null, [['pipelines', 'one', name]]);
  useTitle(query.data ? query.data.title || query.data.name : 'Pipeline');
  if (query.isPending) return <Loading />;
  if (query.isError && !query.data) {
    if (query.error instanceof Problem && query.error.status === 404) {
      return (
        <PageBody>
          <NotFound title={`There is no pipeline ${name}.`}>
            <Link to="/pipelines">To the pipelines</Link>
          </NotFound>
        </PageBody>
      );
    }
    return (
      <PageBody>
        <ErrorState
          page
          title="The pipeline could not be loaded."
          detail={sentenceOf(query.error)}
          onRetry={() => void query.refetch()}
        />
      </PageBody>
    );
  }
  return <Loaded pipeline={query.data} runs={runs(query.data)} />;
}

function Loading() {
  return (
    <PageBody>
      <Skeleton width={280} height={20} />
      <Skeleton width={420} />
      <SkeletonRows label="Loading the pipeline" />
    </PageBody>
  );
}

function Loaded({ pipeline, runs }: { pipeline: Pipeline; runs: ReactNode }) {
  const search = route.useSearch();
  const pausable = usePausablePipeline(pipeline);
  const shown = search.version ?? pipeline.active_version?.number ?? null;
  return (
    <PageBody>
      <PageHead
        above={
          <>
            <Link to="/pipelines">Pipelines</Link> / {pipeline.team}:{pipeline.name}
          </>
        }
        title={pipeline.title || pipeline.name}
        below={pipeline.description}
        actions={
          <>
            <EditLink pipeline={pipeline} />
            <PauseButton thing={pausable} />
            <RunButton pipeline={pipeline} />
          </>
        }
      />
      <PausedNotice thing={pausable} />
      <NoOwnerNotice pipeline={pipeline} />
      <QuarantineNotice pipeline={addressOf(pipeline)} />
      <div className={css.columns}>
        <div className={css.main}>
          {shown === null ? <NotPublished pipeline={pipeline} /> : <VersionView pipeline={pipeline} number={shown} />}
          <Section title="Runs" flush>
            {runs}
          </Section>
        </div>
        <div className={css.side}>
          <About pipeline={pipeline} />
          <CodeInUse pipeline={pipeline} />
          <Ownership pipeline={pipeline} />
          <Sharing thing={{ kind: 'pipeline', ...pipeline }} />
          <Versions pipeline={pipeline} shown={shown} />
        </div>
      </div>
    </PageBody>
  );
}

function EditLink({ pipeline }: { pipeline: Pipeline }) {
  const { data: me } = useQuery(meQuery);
  // A draft is for its own team: others, to whom the pipeline is lent, see what is published.
  if (!belongsTo(me, pipeline.team)) return null;
  const Icon = pipeline.can.edit ? Pencil : Eye;
  return (
    <Link to="/pipelines/$name/edit" params={{ name: addressOf(pipeline) }} className={buttonLook()}>
      <Icon aria-hidden /> {pipeline.can.edit ? 'Edit' : 'View draft'}
    </Link>
  );
}

function NotPublished({ pipeline }: { pipeline: Pipeline }) {
  return (
    <Card>
      <EmptyState icon={<GitCommitHorizontal />} title="Nothing is published yet">
        {pipeline.can.edit
          ? 'This pipeline has a draft only. Press Edit to draw it and to publish its first version.'
          : 'This pipeline has a draft only. Somebody who may edit it has to publish a version.'}
      </EmptyState>
    </Card>
  );
}

function About({ pipeline }: { pipeline: Pipeline }) {
  return (
    <Section title="About">
      <Facts>
        <Fact name="State">
          {pipeline.state ? <StateBadge state={pipeline.state} plain /> : <span className={table.muted}>never run</span>}
        </Fact>
        <Fact name="Active version">{pipeline.active_version?.number ?? <span className={table.muted}>none</span>}</Fact>
        {pipeline.tags.length > 0 && <Fact name="Tags">{pipeline.tags.join(', ')}</Fact>}
      </Facts>
    </Section>
  );
}

function VersionView({ pipeline, number }: { pipeline: Pipeline; number: number }) {
  const [view, setView] = useState<'graph' | 'text'>('graph');
  const query = useQuery(versionQuery(addressOf(pipeline), number));
  const missing = query.error instanceof Problem && query.error.status === 404;
  const active = pipeline.active_version?.number === number;
  return (
    <Section
      title={`Version ${number}${active ? ', active' : ''}`}
      flush
      actions={
        <Segments
          label="View of the version"
          value={view}
          onChange={setView}
          items={[
            { value: 'graph', label: <><Network aria-hidden /> Graph</> },
            { value: 'text', label: <><FileCode aria-hidden /> YAML</> },
          ]}
        />
      }
    >
      {query.isPending && <SkeletonRows rows={5} label="Loading the version" />}
      {missing && <p className={css.none}>There is no version {number}.</p>}
      {query.isError && !missing && (
        <ErrorState
          title={`Version ${number} could not be loaded.`}
          detail={sentenceOf(query.error)}
          onRetry={() => void query.refetch()}
        />
      )}
      {query.data && view === 'graph' && (
        <div className={css.graph}>
          <Suspense fallback={<SkeletonRows rows={5} label="Loading the graph" />}>
            <VersionGraph label={`Graph of ${pipeline.name}, version ${number}`} version={query.data} />
          </Suspense>
        </div>
      )}
      {query.data && view === 'text' && <SourceText text={query.data.text} name={`${pipeline.name}.yaml`} />}
      {query.data && (
        <div className={css.digests}>
          <span>
            Text digest <Digest value={query.data.text_sha256} />
          </span>
          <span>
            Spec digest <Digest value={query.data.spec_sha256} />
          </span>
        </div>
      )}
    </Section>
  );
}

function Versions({ pipeline, shown }: { pipeline: Pipeline; shown: number | null }) {
  const name = addressOf(pipeline);
  const query = useInfiniteQuery(versionsQuery(name));
  return (
    <Section
      title="Versions"
      flush
      actions={
        <Link to="/pipelines/$name/versions" params={{ name }}>
          History
        </Link>
      }
    >
      <Listed query={query} what="the versions" empty={<p className={css.none}>None yet.</p>}>
        {(versions) => (
          <ol>
            {versions.map((version) => (
              <VersionRow key={version.number} pipeline={pipeline} version={version} shown={version.number === shown} />
            ))}
          </ol>
        )}
      </Listed>
    </Section>
  );
}

function VersionRow({ pipeline, version, shown }: { pipeline: Pipeline; version: VersionItem; shown: boolean }) {
  const name = addressOf(pipeline);
  const queryClient = useQueryClient();
  const activate = useMutation({
    mutationFn: () => activateVersion(name, version.number),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: ['pipelines'] }),
  });
  return (
    <li className={css.version} data-shown={shown || undefined}>
      <div className={css.versionHead}>
        <Link to="/pipelines/$name" params={{ name }} search={{ version: version.number }} aria-current={shown ? 'true' : undefined}>
          Version {version.number}
        </Link>
        {version.active ? (
          <span className={css.active}>active</span>
        ) : (
          pipeline.can.edit && (
            <Button small look="quiet" busy={activate.isPending} onClick={() => activate.mutate()}>
              Activate
            </Button>
          )
        )}
      </div>
      {version.message && <p className={css.message}>{version.message}</p>}
      <p className={css.who}>
        <PersonName person={version.created_by} none="unknown" />, <Ago at={version.created_at} />
      </p>
      {activate.isError && <Notice>{sentenceOf(activate.error)}</Notice>}
    </li>
  );
}
