import type { Attempt, Run, TaskRun } from '../api/types';
import { Elapsed } from '../ui/Elapsed';
import { Fact, Facts, Moment } from '../ui/Facts';
import { StateBadge } from '../ui/StateBadge';
import css from './Overview.module.css';
import { Waiting } from './Waiting';
import { exitWords, isolationWords, lostWords, reasonWords, slotWords, whyEnded } from './words';

interface Props {
  run: Run;
  task: TaskRun;
  attempt: Attempt | null;
}

/** State, reason, timings and place of a task and of one of its attempts. */
export function Overview({ run, task, attempt }: Props) {
  // Of a task that is tried again `ready_at` is that of its last attempt, `started_at` that of its first.
  const again = task.ready_at !== null && task.started_at !== null && Date.parse(task.ready_at) > Date.parse(task.started_at);
  return (
    <>
      <Waiting run={run} task={task} />
      {attempt?.detail && attempt.detail !== attempt.cause && <Cause text={attempt.detail} />}
      <section aria-label="Task">
        <Facts>
          {task.title && <Fact name="Title">{task.title}</Fact>}
          <Fact name="Task">{task.key}</Fact>
          <Fact name="Kind">{task.kind}</Fact>
          {whyEnded(task) && <Fact name="Reason">{whyEnded(task)}</Fact>}
          {task.queue && <Fact name="Queue">{task.queue}</Fact>}
          {task.queue && task.priority !== 'normal' && <Fact name="Priority">{task.priority}</Fact>}
          {task.ready_at && (
            <Fact name={again ? 'Ready again' : 'Ready'}>
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
          {task.ready_at && task.started_at && !again && (
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
        {attempt.slots.length > 0 && <Fact name="Slots">{slotWords(attempt.slots)}</Fact>}
        <Fact name="Isolation">{isolationWords(attempt.isolation)}</Fact>
      </Facts>
    </section>
  );
}

function sentence(words: string): string {
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;
}
