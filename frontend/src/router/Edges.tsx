import { Link, type ErrorComponentProps } from '@tanstack/react-router';
import { MapPinOff } from 'lucide-react';
import { Problem, sentenceOf } from '../api/problem';
import { EmptyState, ErrorState, SkeletonRows } from '../ui/Feedback';
import { useTitle } from '../ui/Page';

export function NotFoundPage() {
  useTitle('Not found');
  return (
    <main>
      <EmptyState page icon={<MapPinOff />} title="There is no page at this address" action={<Link to="/pipelines">To the pipelines</Link>}>
        The link may be old, or a letter may be missing.
      </EmptyState>
    </main>
  );
}

/** What is left when a page breaks: what happened, in words, and a way on. */
export function CrashPage({ error, reset }: ErrorComponentProps) {
  useTitle('Something broke');
  const offline = error instanceof Problem && error.unreachable;
  return (
    <main>
      <ErrorState
        page
        title={offline ? 'The server does not answer.' : 'This page broke.'}
        detail={offline ? sentenceOf(error) : `${sentenceOf(error)} Nothing that was saved is lost.`}
        offline={offline}
        onRetry={() => {
          reset();
          window.location.reload();
        }}
      />
    </main>
  );
}

export function WaitPage() {
  return (
    <main>
      <SkeletonRows />
    </main>
  );
}
