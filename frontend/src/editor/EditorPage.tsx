import { useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { useStore } from 'zustand';
import { draftQuery } from '../api/drafts';
import { addressOf, pipelineQuery } from '../api/pipelines';
import { Problem, sentenceOf } from '../api/problem';
import type { Draft, Pipeline } from '../api/types';
import { useLiveQueries } from '../api/useFleet';
import { ErrorState, NotFound, SkeletonRows } from '../ui/Feedback';
import { PageBody, useTitle } from '../ui/Page';
import { LastRunContext, useRunOf } from './lastRun';
import { useNarrow } from './page/useNarrow';
import { Workbench } from './page/Workbench';
import { copiesOf, shelfOf } from './safety';
import { createSaver } from './save';
import { SaverContext } from './saving';
import type { EditorSearch } from './search';
import { readLayout } from './storedLayout';
import { EditorContext, makeEditor } from './store';

const route = getRouteApi('/shell/pipelines/$name/edit');

/** Draws a pipeline: reads it and its draft, then hands over to the workbench. */
export function EditorPage() {
  const { name } = route.useParams();
  const pipeline = useQuery({ ...pipelineQuery(name), refetchOnWindowFocus: false });
  // A whole address need not wait for the pipeline to be known.
  const address = pipeline.data ? addressOf(pipeline.data) : name.includes(':') ? name : null;
  const draft = useQuery({ ...draftQuery(address ?? name), enabled: address !== null });
  useTitle(pipeline.data ? `Edit ${pipeline.data.title || pipeline.data.name}` : 'Edit');
  if (pipeline.data && draft.data && draft.isFetchedAfterMount) {
    return <Editor key={address} pipeline={pipeline.data} draft={draft.data} />;
  }
  const failed = [pipeline, draft].find(({ error }) => error !== null);
  if (failed?.error) return <Failed name={name} problem={failed.error} onRetry={() => void failed.refetch()} />;
  return <SkeletonRows label="Loading the draft" />;
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

/** The document of a draft with all that keeps it; what the address says is shown at first. */
function begin(pipeline: Pipeline, draft: Draft, shelf: string, { view, task }: EditorSearch) {
  const store = makeEditor(addressOf(pipeline), draft.document, readLayout(draft.layout));
  if (view !== undefined) store.getState().setView(view);
  if (task !== undefined && store.getState().doc.model.tasks.has(task)) store.getState().select([task]);
  return { store, saver: createSaver(store, draft, shelf), copies: copiesOf(shelf) };
}

function Editor({ pipeline, draft }: { pipeline: Pipeline; draft: Draft }) {
  const search = route.useSearch();
  const queryClient = useQueryClient();
  const [{ store, saver, copies }] = useState(() => begin(pipeline, draft, shelfOf(queryClient, addressOf(pipeline)), search));
  const isGone = useStore(saver.info, ({ state }) => state.is === 'refused' && state.gone);
  const whyReadOnly = useWhyReadOnly(pipeline, isGone);
  const run = useRunOf(pipeline.last_runs[0]?.id ?? null);
  const address = addressOf(pipeline);
  useLiveQueries('pipeline', pipeline.id, [
    ['pipelines', 'one', address],
    ['pipelines', 'versions', address],
  ]);
  useEffect(() => saver.start(), [saver]);
  useEffect(() => store.setState({ readOnly: whyReadOnly !== null }), [store, whyReadOnly]);
  return (
    <EditorContext value={store}>
      <SaverContext value={saver}>
        <LastRunContext value={run}>
          <Workbench pipeline={pipeline} whyReadOnly={whyReadOnly} copies={copies} panel={search.panel} />
        </LastRunContext>
      </SaverContext>
    </EditorContext>
  );
}

function useWhyReadOnly({ can, team }: Pipeline, isGone: boolean): string | null {
  const narrow = useNarrow();
  if (isGone) return 'This pipeline was archived while you drew: what you see can be read and copied, and not be changed any more.';
  if (!can.edit) return `You may look at this draft. To change it you need the role editor in the team ${team}.`;
  return narrow ? 'This window is too narrow to draw in: make it at least 768 pixels wide to change the draft.' : null;
}
