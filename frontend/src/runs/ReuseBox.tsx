import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { sentenceOf } from '../api/problem';
import { reuseQuery } from '../api/runs';
import type { ReusedFrom, Run, TaskRun } from '../api/types';
import { ErrorState, SkeletonRows } from '../ui/Feedback';
import { hasEnded } from '../ui/states';
import css from './ReuseBox.module.css';

/** Why the result of a task was reused, or why not: part by part. */
export function ReuseBox({ run, task }: { run: Run; task: TaskRun }) {
  const query = useQuery({ ...reuseQuery(task.id), staleTime: hasEnded(task.state) ? Infinity : 0 });
  if (query.isPending) return <SkeletonRows rows={2} label="Loading what is known of its reuse" />;
  if (query.isError) {
    return <ErrorState title="Whether it was reused could not be loaded." detail={sentenceOf(query.error)} onRetry={() => void query.refetch()} />;
  }
  const { considered, sentence, taken_from: source, nearest, differences } = query.data;
  // Where nothing was looked for there is nothing to explain, but in a run that repeats another.
  if (!considered && run.rerun_of === null) return null;
  return (
    <section className={css.box} aria-label="Reuse">
      <h3 className={css.title}>Reuse</h3>
      <p>{sentence}</p>
      {differences.length > 0 && (
        <ul className={css.list}>
          {differences.map((one) => (
            <li key={`${one.part} ${one.name}`}>{one.words}</li>
          ))}
        </ul>
      )}
      {source && <ToMaker source={source} words={`To ${source.task} in run ${source.number}`} />}
      {!source && nearest && <ToMaker source={nearest} words={`Compared with ${nearest.task} in run ${nearest.number}`} />}
    </section>
  );
}

/** The task that did the work, in its own run, with its log. */
export function ToMaker({ source, words, log = false }: { source: ReusedFrom; words: string; log?: boolean }) {
  return (
    <p>
      <Link
        to="/runs/$runId"
        params={{ runId: source.run }}
        search={{ task: source.task, attempt: source.attempt_no, ...(log ? { tab: 'log' as const } : {}) }}
      >
        {words}
      </Link>
    </p>
  );
}
