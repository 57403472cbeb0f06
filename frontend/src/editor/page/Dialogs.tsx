import { useState } from 'react';
import type { Pipeline, PublishedVersion } from '../../api/types';
import { RunDialog } from '../../pipelines/RunDialog';
import { PublishDialog } from '../dialogs/PublishDialog';
import { RunChoice } from '../dialogs/RunChoice';

export type Asked = 'publish' | 'run' | null;

interface Props {
  pipeline: Pipeline;
  asked: Asked;
  onAsk: (asked: Asked) => void;
}

/** Publish and run, which lead into each other. */
export function Dialogs({ pipeline, asked, onAsk }: Props) {
  const [published, setPublished] = useState<PublishedVersion | null>(null);
  const close = () => {
    onAsk(null);
    setPublished(null);
  };
  if (asked === 'publish') {
    const run = (version: PublishedVersion) => {
      setPublished(version);
      onAsk('run');
    };
    return <PublishDialog pipeline={pipeline} onClose={close} onRun={run} />;
  }
  if (asked === 'run' && published) return <RunDialog pipeline={withVersion(pipeline, published)} onClose={close} />;
  if (asked === 'run') return <RunChoice pipeline={pipeline} onClose={close} onPublish={() => onAsk('publish')} />;
  return null;
}

/** The pipeline as if this version were the active one: what is run is what was just published. */
function withVersion(pipeline: Pipeline, { number, created_at, created_by, message, parameters }: PublishedVersion): Pipeline {
  return { ...pipeline, active_version: { number, created_at, created_by, message }, parameters };
}
