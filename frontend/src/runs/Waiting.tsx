import { useMutation, useQuery } from '@tanstack/react-query';
import { Play } from 'lucide-react';
import { sentenceOf } from '../api/problem';
import { explanationQuery, retryTask } from '../api/runs';
import type { Blocker, Run, TaskRun } from '../api/types';
import { useLiveQueries } from '../api/useFleet';
import { Button } from '../ui/Button';
import { Elapsed } from '../ui/Elapsed';
import { Moment } from '../ui/Facts';
import { ErrorState, Notice, SkeletonRows } from '../ui/Feedback';
import { formatTicking } from '../ui/format';
import { hasEnded } from '../ui/states';
import { useNow } from '../ui/useNow';
import { piecesWithLinks } from './linked';
import { LinkedWords, Place } from './Place';
import { useRunStore } from './RunContext';
import css from './Waiting.module.css';

interface Props {
  run: Run;
  task: TaskRun;
}

/** Why a task is not running: each thing in its way, with links and what can be done. Nothing once it runs or has ended. */
export function Waiting({ run, task }: Props) {
  return hasEnded(task.state) ? null : <Open run={run} task={task} />;
}

function Open({ run, task }: Props) {
  const options = explanationQuery(task.id);
  const query = useQuery(options);
  useLiveQueries('run', run.id, [options.queryKey]);
  const { state } = task;
  // Whoever may decide has the question before them.
  if (task.approval?.may_decide) return null;
  if (query.isPending) return state === 'running' ? null : <SkeletonRows rows={1} label="Loading what it waits for" />;
  if (query.isError && !query.data) {
    return <ErrorState title="What it waits for could not be loaded." detail={sentenceOf(query.error)} onRetry={() => void query.refetch()} />;
  }
  const { blockers, words } = query.data;
  // It began after the server was asked, or nothing has to be said of it.
  if (state === 'running' && (query.data.state !== state || blockers.length === 0)) return null;
  return (
    <section className={css.box} aria-label="What it waits for">
      {blockers.length === 0 && <p>{words}</p>}
      <ul className={css.list}>
        {blockers.map((blocker) => (
          <li key={`${blocker.code} ${blocker.words}`}>
            <InTheWay run={run} task={task} blocker={blocker} />
          </li>
        ))}
      </ul>
      {state === 'retry_wait' && run.can.cancel && <TryNow task={task} />}
    </section>
  );
}

function InTheWay({ run, task, blocker }: Props & { blocker: Blocker }) {
  const links = blocker.links.filter((link) => link.href !== `/runs/${run.id}?task=${encodeURIComponent(task.key)}`);
  const { pieces, rest } = piecesWithLinks(blocker.words, links);
  return (
    <>
      <p className={css.words}>
        <LinkedWords run={run} pieces={pieces} />
      </p>
      {rest.length > 0 && (
        <p className={css.places}>
          {rest.map((link) => (
            <Place key={link.href} run={run} link={link} words={link.name} />
          ))}
        </p>
      )}
      <Times blocker={blocker} />
      {blocker.remedy && <p className={css.remedy}>{blocker.remedy}</p>}
    </>
  );
}

function Times({ blocker: { since, until } }: { blocker: Blocker }) {
  const now = useNow(until === null ? 0 : 1000);
  if (since === null && until === null) return null;
  const left = until === null ? 0 : Date.parse(until) - now;
  return (
    <p className={css.times}>
      {since !== null && (
        <span>
          For <Elapsed from={since} to={null} />
        </span>
      )}
      {until !== null && (
        <span>
          Until <Moment at={until} />
          {left > 0 && <span className="tabular">, {formatTicking(left)} from now</span>}
        </span>
      )}
    </p>
  );
}

function TryNow({ task }: { task: TaskRun }) {
  const { refresh } = useRunStore();
  const retry = useMutation({ mutationFn: () => retryTask(task.id), onSuccess: refresh });
  return (
    <>
      <Button small icon={<Play />} busy={retry.isPending} onClick={() => retry.mutate()}>
        Try now
      </Button>
      {retry.isError && <Notice>{sentenceOf(retry.error)}</Notice>}
    </>
  );
}
