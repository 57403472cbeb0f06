import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useState } from 'react';
import { draftQuery } from '../api/drafts';
import { addressOf, pipelineQuery } from '../api/pipelines';
import { Problem, sentenceOf } from '../api/problem';
import type { Draft, Pipeline } from '../api/types';
import { ErrorState, NotFound, SkeletonRows } from '../ui/Feedback';
import { PageBody, useTitle } from '../ui/Page';
import { Workbench } from './page/Workbench';
import { readLayout } from './storedLayout';
import { EditorContext, makeEditor } from './store';

const route = getRouteApi('/shell/pipelines/$name/edit');

/** Draws a pipeline: reads it and its draft, then hands over to the workbench. */
export function EditorPage() {
  const { name } = route.useParams();
  const pipeline = useQuery({ ...pipelineQuery(name), refetchOnWindowFocus: false });
  const address = pipeline.data ? addressOf(pipeline.data) : null;
  const draft = useQuery({ ...draftQuery(address ?? name), enabled: address !== null, refetchOnReconnect: false });
  useTitle(pipeline.data ? `Edit ${pipeline.data.title || pipeline.data.name}` : 'Edit');
  const problem = pipeline.error ?? draft.error;
  if (pipeline.data && draft.data) return <Editor key={addressOf(pipeline.data)} pipeline={pipeline.data} draft={draft.data} />;
  if (problem === null) return <SkeletonRows label="Loading the draft" />;
  return <Failed name={name} problem={problem} onRetry={() => void (pipeline.error ? pipeline : draft).refetch()} />;
}

function Failed({ name, problem, onRetry }: { name: string; problem: Error; onRetry: () => void }) {
  if (problem instanceof Problem && problem.status === 404) {
    return (
      <PageBody>
        <NotFound title={`There is no pipeline ${name}, or it is archived.`}>
          <Link to="/pipelines">To the pipelines</Link>
        </NotFound>
      </PageBody>
    );
  }
  return <ErrorState page title="The draft could not be loaded." detail={sentenceOf(problem)} onRetry={onRetry} />;
}

function Editor({ pipeline, draft }: { pipeline: Pipeline; draft: Draft }) {
  const [store] = useState(() => makeEditor(addressOf(pipeline), draft.document, readLayout(draft.layout)));
  return (
    <EditorContext value={store}>
      <Workbench pipeline={pipeline} />
    </EditorContext>
  );
}
