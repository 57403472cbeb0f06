import { Link } from '@tanstack/react-router';
import { addressOf } from '../api/pipelines';
import type { Run } from '../api/types';
import { Notice } from '../ui/Feedback';
import css from './RunHeader.module.css';

/** That a task of a run is in quarantine, with the way to the page on which that is lifted. Nothing while none is. */
export function HeldLine({ run }: { run: Run }) {
  const { quarantine, pipeline } = run;
  if (quarantine === null) return null;
  return (
    <Notice look="retrying">
      <strong>{quarantine.words}</strong> {run.state === 'queued' ? 'The run does not begin' : 'The run cannot be resumed'} until that is
      lifted, on the page of{' '}
      <Link to="/pipelines/$name" params={{ name: addressOf(pipeline) }} className={css.within}>
        {pipeline.name}
      </Link>
      . {quarantine.remedy}
    </Notice>
  );
}
