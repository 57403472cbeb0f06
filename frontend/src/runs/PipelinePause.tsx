import { useQuery } from '@tanstack/react-query';
import { addressOf, pipelineQuery } from '../api/pipelines';
import type { Pipeline, Run } from '../api/types';
import { usePausablePipeline } from '../pausing/pausable';
import { PausedNotice } from '../pausing/Pausing';

/** No word comes of a pause of the pipeline, so the page of its run asks. Milliseconds. */
const EVERY = 15_000;

/** That the pipeline of a run is paused, so that nothing more of the run begins. */
export function PipelinePause({ run }: { run: Run }) {
  const { data } = useQuery({ ...pipelineQuery(addressOf(run.pipeline)), refetchInterval: EVERY });
  return data ? <Paused pipeline={data} /> : null;
}

function Paused({ pipeline }: { pipeline: Pipeline }) {
  return <PausedNotice thing={usePausablePipeline(pipeline)} subject={`The pipeline ${pipeline.name}`} />;
}
