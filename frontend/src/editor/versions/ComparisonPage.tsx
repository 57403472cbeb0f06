import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { ArrowRight, Equal, FileCode, Network, TriangleAlert } from 'lucide-react';
import { useMemo } from 'react';
import { draftQuery } from '../../api/drafts';
import { addressOf, pipelineQuery, versionQuery, versionsQuery } from '../../api/pipelines';
import type { Pipeline } from '../../api/types';
import { EmptyState, SkeletonRows } from '../../ui/Feedback';
import { Select } from '../../ui/Fields';
import { plural } from '../../ui/format';
import { PageBody, PageHead, Section, useTitle } from '../../ui/Page';
import { Segments } from '../../ui/Segments';
import type { Side } from '../search';
import css from './ComparisonPage.module.css';
import { countOf, diffOf, isEmpty, type Diff } from './diff';
import { DiffGraph } from './DiffGraph';
import { DiffList } from './DiffList';
import { LineDiff } from './LineDiff';
import { Failed } from './VersionsPage';

const route = getRouteApi('/shell/pipelines/$name/versions/diff');

const wordsOf = (side: Side) => (side === 'draft' ? 'the draft' : `version ${side}`);

/** Two versions, or a version and the draft, side by side, at an address that can be passed on. */
export function ComparisonPage() {
  const { name } = route.useParams();
  const query = useQuery(pipelineQuery(name));
  useTitle('Compare versions', query.data ? query.data.title || query.data.name : null);
  if (query.data) return <Loaded pipeline={query.data} />;
  return (
    <PageBody>
      {query.isPending && <SkeletonRows label="Loading the pipeline" />}
      {query.isError && <Failed name={name} problem={query.error} onRetry={() => void query.refetch()} />}
    </PageBody>
  );
}

function useSides({ active_version: active }: Pipeline): { from: Side; to: Side } {
  const search = route.useSearch();
  const to = search.to ?? 'draft';
  const usual = typeof to === 'number' ? Math.max(1, to - 1) : (active?.number ?? 'draft');
  return { from: search.from ?? usual, to };
}

/** The text of a version or of the draft, and the code that it was published with. */
function useText(address: string, side: Side) {
  const version = useQuery({ ...versionQuery(address, Number(side)), enabled: side !== 'draft' });
  const draft = useQuery({ ...draftQuery(address), enabled: side === 'draft' });
  const query = side === 'draft' ? draft : version;
  const text = side === 'draft' ? draft.data?.document : version.data?.text;
  return { text, code: side === 'draft' ? null : (version.data?.code ?? null), problem: query.error, refetch: query.refetch };
}

function Loaded({ pipeline }: { pipeline: Pipeline }) {
  const address = addressOf(pipeline);
  const { from, to } = useSides(pipeline);
  const old = useText(address, from);
  const now = useText(address, to);
  const problem = old.problem ?? now.problem;
  return (
    <PageBody wide>
      <PageHead
        above={
          <>
            <Link to="/pipelines">Pipelines</Link> /{' '}
            <Link to="/pipelines/$name" params={{ name: address }}>
              {address}
            </Link>{' '}
            /{' '}
            <Link to="/pipelines/$name/versions" params={{ name: address }}>
              Versions
            </Link>
          </>
        }
        title={`From ${wordsOf(from)} to ${wordsOf(to)}`}
        actions={<Choose address={address} from={from} to={to} />}
      />
      {problem && <Failed name={address} problem={problem} onRetry={() => void (old.problem ? old : now).refetch()} />}
      {!problem && (old.text === undefined || now.text === undefined) && <SkeletonRows label="Loading both versions" />}
      {old.text !== undefined && now.text !== undefined && (
        <>
          {old.code && now.code && old.code.snapshot !== now.code.snapshot && (
            <p className={css.code}>The code of {now.code.location} is another: these versions run different snapshots of it.</p>
          )}
          <Compared old={old.text} now={now.text} />
        </>
      )}
    </PageBody>
  );
}

function Choose({ address, from, to }: { address: string; from: Side; to: Side }) {
  const navigate = route.useNavigate();
  const query = useInfiniteQuery(versionsQuery(address));
  const known = query.data?.pages.flatMap((page) => page.results).map(({ number }) => number) ?? [];
  const numbers = [...new Set([...known, from, to])].filter((side) => side !== 'draft').sort((one, other) => other - one);
  const choose = (end: 'from' | 'to', value: string) =>
    void navigate({ search: (old) => ({ ...old, [end]: value === 'draft' ? 'draft' : Number(value) }), replace: true });
  return (
    <span className={css.choose}>
      {(['from', 'to'] as const).map((end) => (
        <span key={end} className={css.end}>
          {end === 'to' && <ArrowRight size={14} aria-hidden />}
          <Select aria-label={end === 'from' ? 'From' : 'To'} value={String(end === 'from' ? from : to)} onChange={(event) => choose(end, event.target.value)}>
            <option value="draft">Draft</option>
            {numbers.map((number) => (
              <option key={number} value={number}>
                Version {number}
              </option>
            ))}
          </Select>
        </span>
      ))}
    </span>
  );
}

function Compared({ old, now }: { old: string; now: string }) {
  const diff = useMemo(() => diffOf(old, now), [old, now]);
  const textOnly = old !== now;
  if (!diff) {
    return (
      <Section title="Text">
        <p className={css.unread}>
          <TriangleAlert size={14} aria-hidden /> One of the texts cannot be read as a pipeline, so only its lines are compared.
        </p>
        <LineDiff label="Changed lines" old={old} now={now} />
      </Section>
    );
  }
  if (isEmpty(diff)) {
    return (
      <EmptyState icon={<Equal />} title="Nothing differs">
        {textOnly ? 'Only comments, order or spelling differ in the text: both run the same.' : 'Both texts are equal.'}
      </EmptyState>
    );
  }
  return <Differences diff={diff} old={old} now={now} />;
}

function Differences({ diff, old, now }: { diff: Diff; old: string; now: string }) {
  const { view } = route.useSearch();
  const navigate = route.useNavigate();
  const shown = view ?? 'graph';
  return (
    <div className={css.columns}>
      <Section
        title={shown === 'graph' ? 'Graph' : 'Text'}
        flush
        actions={
          <Segments
            label="View of the changes"
            value={shown}
            onChange={(next) => void navigate({ search: (before) => ({ ...before, view: next === 'text' ? 'text' : undefined }), replace: true })}
            items={[
              { value: 'graph', label: <><Network aria-hidden /> Graph</> },
              { value: 'text', label: <><FileCode aria-hidden /> YAML</> },
            ]}
          />
        }
      >
        {shown === 'graph' ? (
          <div className={css.graph}>
            <DiffGraph label="Both graphs, changes marked" diff={diff} />
          </div>
        ) : (
          <LineDiff label="Changed lines" old={old} now={now} />
        )}
      </Section>
      <Section title={plural(countOf(diff), 'change')}>
        <DiffList diff={diff} />
      </Section>
    </div>
  );
}
