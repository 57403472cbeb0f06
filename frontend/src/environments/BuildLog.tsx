import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useLayoutEffect, useRef } from 'react';
import { buildLogQuery } from '../api/environments';
import { sentenceOf } from '../api/problem';
import { Notice, SkeletonRows } from '../ui/Feedback';
import css from './Environments.module.css';

const NEAR = 24; // pixels from the end within which new lines are followed

/** What was said while an environment was built; it grows while it is, and its end is followed. */
export function BuildLog({ id, build }: { id: string; build: number }) {
  const queryClient = useQueryClient();
  const { data, isPending, error } = useQuery(buildLogQuery(queryClient, id, build));
  const box = useRef<HTMLPreElement>(null);
  const follows = useRef(true);
  useLayoutEffect(() => {
    if (box.current && follows.current) box.current.scrollTop = box.current.scrollHeight;
  }, [data?.text]);
  if (isPending) return <SkeletonRows rows={3} label="Loading the log" />;
  if (error) return <Notice>The log could not be read. {sentenceOf(error)}</Notice>;
  if (data.text === '') return <p className={css.padded}>{data.complete ? 'Nothing was said.' : 'Nothing was said so far.'}</p>;
  return (
    <pre
      ref={box}
      className={css.log}
      tabIndex={0}
      role="log"
      aria-label="Log of the build"
      onScroll={({ currentTarget: { scrollHeight, scrollTop, clientHeight } }) => {
        follows.current = scrollHeight - scrollTop - clientHeight < NEAR;
      }}
    >
      {data.text}
    </pre>
  );
}
