import { useQuery } from '@tanstack/react-query';
import { Play, Send } from 'lucide-react';
import { useState } from 'react';
import { addressOf, versionQuery } from '../../api/pipelines';
import { sentenceOf } from '../../api/problem';
import type { Pipeline } from '../../api/types';
import { RunDialog } from '../../pipelines/RunDialog';
import { Button } from '../../ui/Button';
import { Dialog } from '../../ui/Dialog';
import { Notice } from '../../ui/Feedback';
import { useEditor } from '../store';

interface Props {
  pipeline: Pipeline;
  onClose: () => void;
  /** The draft is to be published first. */
  onPublish: () => void;
}

/** Runs a version, never the draft: says so when they differ, and offers to publish first. */
export function RunChoice({ pipeline, onClose, onPublish }: Props) {
  const text = useEditor(({ doc }) => doc.text);
  const active = pipeline.active_version?.number ?? null;
  const { data, error, isPending } = useQuery({ ...versionQuery(addressOf(pipeline), active ?? 0), enabled: active !== null });
  const [asItIs, setAsItIs] = useState(false);
  if (asItIs || data?.text === text) return <RunDialog pipeline={pipeline} onClose={onClose} />;
  const paused = pipeline.paused_at !== null;
  return (
    <Dialog
      open
      onClose={onClose}
      title={`Run ${pipeline.title || pipeline.name}`}
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          {active !== null && (
            <Button icon={<Play />} busy={isPending} disabled={paused} onClick={() => setAsItIs(true)}>
              Run version {active}
            </Button>
          )}
          <Button look="primary" icon={<Send />} onClick={onPublish}>
            Publish and run
          </Button>
        </>
      }
    >
      {error && <Notice>{sentenceOf(error)}</Notice>}
      {paused && <Notice look="retrying">This pipeline is paused: nothing starts until somebody resumes it.</Notice>}
      <p>
        {active === null
          ? 'Nothing is published yet, and only what is published can run.'
          : `The draft differs from version ${active}, the active one. A run uses a version, never the draft.`}
      </p>
    </Dialog>
  );
}
