import { Link } from '@tanstack/react-router';
import type { CodeLocation } from '../api/code';
import { Notice } from '../ui/Feedback';

/** That tasks cannot run, as the environment of their code has failed; nothing where it has not. */
export function EnvironmentTrouble({ environment }: { environment: CodeLocation['environment'] }) {
  if (environment?.state !== 'failed') return null;
  return (
    <Notice>
      The environment of this code could not be built, so no task of it can run: {environment.problem}.{' '}
      <Link to="/environments/$environmentId" params={{ environmentId: environment.id }}>
        To the environment
      </Link>
    </Notice>
  );
}
