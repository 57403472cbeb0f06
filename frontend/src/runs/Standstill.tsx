import { useQuery } from '@tanstack/react-query';
import { explanationQuery } from '../api/runs';
import type { Blocker, Run, TaskRun } from '../api/types';
import { useLiveQueries } from '../api/useFleet';
import { StateGlyph } from '../ui/StateGlyph';
import { piecesWithLinks } from './linked';
import { LinkedWords } from './Place';
import { useRun } from './RunContext';
import css from './Standstill.module.css';

/** States in which a run does not stand still. */
const AT_WORK = ['running', 'awaiting_approval'] as const;
const WAITS = new Set<string>(['ready', 'retry_wait']);
/** What the header says already. */
const SAID = new Set<Blocker['code']>(['run-paused', 'pipeline-paused']);

interface Props {
  run: Run;
  onTask: (task: string) => void;
}

/** Why nothing of a run runs although it has begun, in one line: what the first of its tasks that could begin waits for. */
export function Standstill({ run, onTask }: Props) {
  const still = run.state === 'running' && AT_WORK.every((state) => !run.counts[state]);
  const first = useRun(({ keys, tasks }) => (still ? keys.map((key) => tasks[key]).find((task) => task && WAITS.has(task.state)) : undefined));
  return first ? <Why run={run} task={first} onTask={onTask} /> : null;
}

function Why({ run, task, onTask }: Props & { task: TaskRun }) {
  const options = explanationQuery(task.id);
  const { data } = useQuery(options);
  useLiveQueries('run', run.id, [options.queryKey]);
  const [blocker] = data?.blockers ?? [];
  if (!blocker || SAID.has(blocker.code)) return null;
  return (
    <p className={css.line} data-look="queued" aria-label="Why nothing runs" role="note">
      <StateGlyph state="ready" size={14} />
      <span>
        Nothing of it runs now.{' '}
        <button type="button" className={css.task} onClick={() => onTask(task.key)}>
          {task.key}
        </button>
        : <LinkedWords run={run} pieces={piecesWithLinks(blocker.words, blocker.links).pieces} />
      </span>
    </p>
  );
}
