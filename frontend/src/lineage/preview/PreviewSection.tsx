import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { ArrowLeft, CloudOff, Download, FileQuestion } from 'lucide-react';
import { contentAddress, previewQuery } from '../../api/artifacts';
import { Problem, sentenceOf } from '../../api/problem';
import type { Artifact, Json, Preview } from '../../api/types';
import { Button, IconLink } from '../../ui/Button';
import { EmptyState, ErrorState, SkeletonRows } from '../../ui/Feedback';
import { compactJson } from '../../ui/json';
import { JsonValue } from '../../ui/JsonValue';
import { Section } from '../../ui/Page';
import { Segments } from '../../ui/Segments';
import { ArrayView } from './ArrayView';
import { Files } from './Files';
import { ImageView } from './ImageView';
import { ModelView } from './ModelView';
import css from './Preview.module.css';
import { ProfileTable } from './ProfileTable';
import { TableRows } from './TableRows';

const route = getRouteApi('/shell/artifacts/$artifactId');

/** A look into the bytes: the table, the text, the picture; of a folder its files, one of which may be open. */
export function PreviewSection({ artifact }: { artifact: Artifact }) {
  const { path, tab } = route.useSearch();
  const navigate = route.useNavigate();
  const query = useQuery({ ...previewQuery(artifact.id, path), enabled: artifact.present });
  const table = query.data?.kind === 'table';
  return (
    <Section
      title="Preview"
      flush
      actions={
        table && (
          <Segments
            label="Part of the table"
            value={tab ?? 'rows'}
            onChange={(next) =>
              void navigate({ search: (old) => ({ ...old, tab: next === 'rows' ? undefined : next }), replace: true })
            }
            items={[
              { value: 'rows', label: 'Rows' },
              { value: 'profile', label: 'Profile' },
            ]}
          />
        )
      }
    >
      {path !== undefined && <OpenFile artifact={artifact.id} path={path} />}
      {!artifact.present || isGone(query.error) ? (
        <Gone />
      ) : query.isPending ? (
        <SkeletonRows label="Looking into the bytes" />
      ) : query.isError ? (
        <ErrorState
          title="It could not be looked into."
          detail={sentenceOf(query.error)}
          offline={query.error instanceof Problem && query.error.unreachable}
          onRetry={() => void query.refetch()}
        />
      ) : (
        <Look artifact={artifact} preview={query.data} />
      )}
    </Section>
  );
}

function isGone(error: unknown): boolean {
  return error instanceof Problem && error.code === 'bytes-gone';
}

function Gone() {
  return (
    <EmptyState icon={<CloudOff />} title="The bytes are gone">
      They are not in the store any more. What is known of them stays: digest, size, who wrote them, and what came of them.
    </EmptyState>
  );
}

/** Which file of a folder is shown, and the way back to all of them. */
function OpenFile({ artifact, path }: { artifact: string; path: string }) {
  const navigate = route.useNavigate();
  return (
    <div className={css.bar}>
      <Button
        small
        icon={<ArrowLeft />}
        onClick={() => void navigate({ search: (old) => ({ ...old, path: undefined, tab: undefined }) })}
      >
        All files
      </Button>
      <strong>{path}</strong>
      <span className={css.grow} />
      <IconLink label={`Download ${path}`} href={contentAddress(artifact, path)} download>
        <Download />
      </IconLink>
    </div>
  );
}

function Look({ artifact, preview }: { artifact: Artifact; preview: Preview }) {
  const { path, tab, q } = route.useSearch();
  const navigate = route.useNavigate();
  const name = path ?? artifact.name;
  switch (preview.kind) {
    case 'table':
      return tab === 'profile' ? <ProfileTable artifact={artifact.id} path={path} name={name} /> : <TableRows table={preview} name={name} />;
    case 'array':
      return <ArrayView array={preview} name={name} />;
    case 'image':
      return <ImageView key={path} artifact={artifact.id} path={path} name={name} image={preview} />;
    case 'text':
      return <TextView text={preview.text} truncated={preview.truncated} />;
    case 'json':
      return <ValueView value={preview.value} />;
    case 'model':
      return <ModelView artifact={artifact} reason={preview.reason} files={files(null)} />;
    case 'folder':
      return files(preview.count);
    case 'none':
      return (
        <EmptyState icon={<FileQuestion />} title="Nothing to show">
          {preview.reason}
        </EmptyState>
      );
  }

  function files(count: number | null) {
    return (
      <Files
        artifact={artifact.id}
        count={count}
        q={q ?? ''}
        onSearch={(next) => void navigate({ search: (old) => ({ ...old, q: next.trim() || undefined }), replace: true })}
        onOpen={(next) => void navigate({ search: (old) => ({ ...old, path: next, tab: undefined }) })}
      />
    );
  }
}

function ValueView({ value }: { value: Json }) {
  if (value !== null && typeof value === 'object') return <TextView text={compactJson(value)} truncated={false} />;
  return (
    <div className={css.pad}>
      <JsonValue value={value} />
    </div>
  );
}

function TextView({ text, truncated }: { text: string; truncated: boolean }) {
  if (text === '') return <p className={css.none}>The file is empty.</p>;
  return (
    <>
      <pre className={css.text} tabIndex={0}>
        {text}
      </pre>
      {truncated && <p className={css.none}>This is the beginning. Download it to read all of it.</p>}
    </>
  );
}
