import { useMutation } from '@tanstack/react-query';
import { Play } from 'lucide-react';
import { sentenceOf } from '../api/problem';
import { retryTask } from '../api/runs';
import type { Attempt, GraphEdge, Run, TaskRun } from '../api/types';
import { Button } from '../ui/Button';
import { Elapsed } from '../ui/Elapsed';
import { Fact, Facts, Moment } from '../ui/Facts';
import { Notice } from '../ui/Feedback';
import { StateBadge } from '../ui/StateBadge';
import { hasEnded } from '../ui/states';
import { useNow } from '../ui/useNow';
import css from './Overview.module.css';
import { QueueWords } from './QueueWords';
import { useRun, useRunStore } from './RunContext';
import { exitWords, isolationWords, lostWords, reasonWords, whyEnded, whyWaiting } from './words';

interface Props {
  run: Run;
  task: TaskRun;
  attempt: Attempt | null;
  edges: readonly GraphEdge[];
}

/** State, reason, timings and place of a task and of one of its attempts. */
export function Overview({ run, task, attempt, edges }: Props) {
  return (
    <>
      <Waiting run={run} task={task} edges={edges} />
      {attempt?.detail && attempt.detail !== attempt.cause && <Cause text={attempt.detail} />}
      <section aria-label="Task">
        <Facts>
          {task.title && <Fact name="Title">{task.title}</Fact>}
          <Fact name="Task">{task.key}</Fact>
          <Fact name="Kind">{task.kind}</Fact>
          {whyEnded(task) && <Fact name="Reason">{whyEnded(task)}</Fact>}
          {task.queue && <Fact name="Queue">{task.queue}</Fact>}
          {task.ready_at && (
            <Fact name="Ready">
              <Moment at={task.ready_at} />
            </Fact>
          )}
          {task.started_at && (
            <Fact name="Started">
              <Moment at={task.started_at} />
            </Fact>
          )}
          {task.finished_at && (
            <Fact name="Ended">
              <Moment at={task.finished_at} />
            </Fact>
          )}
          {task.started_at && (
            <Fact name={task.finished_at === null ? 'So far' : 'Took'}>
              <Elapsed from={task.started_at} to={task.finished_at} />
            </Fact>
          )}
          {task.ready_at && task.started_at && (
            <Fact name="Waited">
              <Elapsed from={task.ready_at} to={task.started_at} />
            </Fact>
          )}
          {task.retries_limit > 0 && (
            <Fact name="Retries">
              {task.retries_used} of {task.retries_limit} used
            </Fact>
          )}
          {task.lost > 0 && (
            <Fact name="Lost">{lostWords(task.lost)}</Fact>
          )}
        </Facts>
      </section>
      {attempt && <AttemptFacts attempt={attempt} />}
    </>
  );
}

function Waiting({ run, task, edges }: { run: Run; task: TaskRun; edges: readonly GraphEdge[] }) {
  const now = useNow(task.state === 'retry_wait' ? 1000 : 0);
  const tasks = useRun((state) => state.tasks);
  const { refresh } = useRunStore();
  const retry = useMutation({ mutationFn: () => retryTask(task.id), onSuccess: refresh });
  const upstream = edges
    .filter((edge) => edge.down === task.key && !hasEnded(tasks[edge.up]?.state ?? 'pending'))
    .map((edge) => tasks[edge.up]?.name ?? edge.up);
  const words = whyWaiting(task, upstream, now);
  if (words === null || task.approval) return null;
  return (
    <section className={css.waiting} aria-label="What it waits for">
      <p>{run.paused_at ? `The run is paused. ${words}` : words}</p>
      {(task.state === 'ready' || task.state === 'retry_wait') && <QueueWords slug={task.queue} />}
      {task.state === 'retry_wait' && run.can.cancel && (
        <Button small icon={<Play />} busy={retry.isPending} onClick={() => retry.mutate()}>
          Try now
        </Button>
      )}
      {retry.isError && <Notice>{sentenceOf(retry.error)}</Notice>}
    </section>
  );
}

function Cause({ text }: { text: string }) {
  return (
    <section aria-label="Cause" className={css.cause} data-look="failed">
      <pre>{text}</pre>
    </section>
  );
}

function AttemptFacts({ attempt }: { attempt: Attempt }) {
  return (
    <section aria-label={`Attempt ${attempt.no}`}>
      <h3 className={css.title}>Attempt {attempt.no}</h3>
      <Facts>
        <Fact name="State">
          <StateBadge state={attempt.state} plain />
        </Fact>
        {(attempt.cause || attempt.reason) && (
          <Fact name="Reason">{attempt.cause || sentence(reasonWords(attempt.reason))}</Fact>
        )}
        <Fact name={attempt.finished_at === null ? 'So far' : 'Took'}>
          <Elapsed from={attempt.started_at} to={attempt.finished_at} />
        </Fact>
        {attempt.exit_code !== null && <Fact name="Exit code">{exitWords(attempt.exit_code)}</Fact>}
        {attempt.worker && <Fact name="Worker">{attempt.worker}</Fact>}
        {attempt.host && <Fact name="Host">{attempt.host}</Fact>}
        {attempt.pid !== null && <Fact name="Process">{attempt.pid}</Fact>}
        <Fact name="Isolation">{isolationWords(attempt.isolation)}</Fact>
      </Facts>
    </section>
  );
}

function sentence(words: string): string {
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;
}
