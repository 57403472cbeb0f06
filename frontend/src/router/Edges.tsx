import { Link, type ErrorComponentProps } from '@tanstack/react-router';
import { Problem, sentenceOf } from '../api/problem';
import { ErrorState, NotFound, SkeletonRows } from '../ui/Feedback';
import { useTitle } from '../ui/Page';

export function NotFoundPage() {
  useTitle('Not found');
  return (
    <NotFound title="There is no page at this address.">
      <Link to="/pipelines">To the pipelines</Link>
    </NotFound>
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
