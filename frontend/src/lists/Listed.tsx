import type { UseInfiniteQueryResult, InfiniteData } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Problem, sentenceOf } from '../api/problem';
import type { Page } from '../api/types';
import { ErrorState, SkeletonRows } from '../ui/Feedback';
import { More } from '../ui/More';

interface Props<T> {
  query: UseInfiniteQueryResult<InfiniteData<Page<T>>>;
  /** "the members" */
  what: string;
  empty: ReactNode;
  /** Grey rows while it loads. */
  skeletons?: number;
  children: (rows: T[]) => ReactNode;
}

/** A list while it loads, when it could not be loaded, when nothing is in it, and page by page. */
export function Listed<T>({ query, what, empty, skeletons = 3, children }: Props<T>) {
  if (query.isPending) return <SkeletonRows rows={skeletons} label={`Loading ${what}`} />;
  if (!query.data) {
    return (
      <ErrorState
        title={`${what.charAt(0).toUpperCase()}${what.slice(1)} could not be loaded.`}
        detail={sentenceOf(query.error)}
        offline={query.error instanceof Problem && query.error.unreachable}
        onRetry={() => void query.refetch()}
      />
    );
  }
  const rows = query.data.pages.flatMap((page) => page.results);
  if (rows.length === 0) return <>{empty}</>;
  return (
    <>
      {children(rows)}
      <More
        has={query.hasNextPage}
        busy={query.isFetchingNextPage}
        onMore={() => void query.fetchNextPage()}
        problem={query.isFetchNextPageError ? sentenceOf(query.error) : null}
      />
    </>
  );
}
