import { useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Ban, RotateCcw } from 'lucide-react';
import { useState } from 'react';
import { addressOf } from '../api/pipelines';
import { sentenceOf } from '../api/problem';
import { cancelRun } from '../api/runs';
import type { Run } from '../api/types';
import { pausableRun } from '../pausing/pausable';
import { PauseButton, PausedNotice } from '../pausing/Pausing';
import { Button } from '../ui/Button';
import { Dialog } from '../ui/Dialog';
import { Elapsed } from '../ui/Elapsed';
import { Ago, PersonName } from '../ui/Facts';
import { Notice } from '../ui/Feedback';
import { formatCount, plural, shortDigest } from '../ui/format';
import { StateBadge } from '../ui/StateBadge';
import { StateGlyph } from '../ui/StateGlyph';
import { useRun, useRunStore } from './RunContext';
import css from './RunHeader.module.css';
import { HeldLine } from './HeldLine';
import { ParametersDialog } from './ParametersDialog';
import { RerunMenu } from './RerunMenu';
import { ResumeDialog } from './ResumeDialog';
import { PipelinePause } from './PipelinePause';
import { progressOf } from './progress';
import { Standstill } from './Standstill';
import { isActive } from './store';
import { PRIORITY_MEANS, triggerWords } from './words';

interface Props {
  run: Run;
  onTask: (task: string) => void;
}

export function RunHeader({ run, task, onTask }: Props & { task?: string }) {
  const [dialog, setDialog] = useState<'resume' | 'cancel' | null>(null);
  const close = () => setDialog(null);
  const pausable = pausableRun(run, useRunStore().refresh);
  return (
    <header className={css.header}>
      <div className={css.line}>
        <StateBadge state={run.state} />
        <h1 className={css.title}>
          <Link to="/pipelines/$name" params={{ name: addressOf(run.pipeline) }} className={css.pipeline}>
            {run.pipeline.name}
          </Link>
          <span className={css.slash} aria-hidden>
            /
          </span>
          run {run.number}
        </h1>
        <div className={css.actions}>
          {run.can.resume && (
            <Button look="primary" icon={<RotateCcw />} onClick={() => setDialog('resume')}>
              Resume
            </Button>
          )}
          <RerunMenu run={run} task={task} />
          <PauseButton thing={pausable} />
          {run.can.cancel && (
            <Button look="danger" icon={<Ban />} onClick={() => setDialog('cancel')}>
              Cancel run
            </Button>
          )}
        </div>
      </div>
      <Figures run={run} onTask={onTask} />
      {isActive(run) && <PausedNotice thing={pausable} />}
      {isActive(run) && <PipelinePause run={run} />}
      <HeldLine run={run} />
      <Standstill run={run} onTask={onTask} />
      {dialog === 'resume' && <ResumeDialog run={run} onClose={close} />}
      {dialog === 'cancel' && <CancelDialog run={run} onClose={close} />}
    </header>
  );
}

function Figures({ run, onTask }: Props) {
  const progress = progressOf(run.counts);
  const stopping = run.state === 'cancelling';
  return (
    <div className={css.figures}>
      <span className={css.figure} title="Elapsed">
        {run.started_at === null ? 'not started' : <Elapsed from={run.started_at} to={run.finished_at} />}
        {stopping && ', stopping its tasks'}
      </span>
      {run.queued && run.quarantine === null && <Queued queued={run.queued} />}
      {run.replaced_by && (
        <span>
          <Link to="/runs/$runId" params={{ runId: run.replaced_by.id }} className={css.within}>
            run {run.replaced_by.number}
          </Link>{' '}
          took its place
        </span>
      )}
      <span className={css.progress}>
        <span
          className={css.bar}
          role="progressbar"
          aria-label="Tasks ended"
          aria-valuenow={progress.ended}
          aria-valuemin={0}
          aria-valuemax={progress.total}
        >
          {progress.parts.map((part) => (
            <span key={part.look} data-look={part.look} style={{ flexGrow: part.count }} />
          ))}
          <span style={{ flexGrow: progress.total - progress.ended }} />
        </span>
        {formatCount(progress.succeeded)} of {plural(progress.total, 'task')} succeeded
      </span>
      {progress.words && <span>{progress.words}</span>}
      {progress.approvals > 0 && <Approvals count={progress.approvals} onTask={onTask} />}
      <span>
        <Link to="/pipelines/$name" params={{ name: addressOf(run.pipeline) }} search={{ version: run.version }}>
          version {run.version}
        </Link>
      </span>
      {run.priority !== 'normal' && <span title={PRIORITY_MEANS}>priority {run.priority}</span>}
      {run.code && <CodeOfRun code={run.code} />}
      <span>
        {triggerWords(run.trigger, run.started_at !== null)}
        {run.requested_by && (
          <>
            {' by '}
            <PersonName person={run.requested_by} />
          </>
        )}
        , <Ago at={run.created_at} />
      </span>
      {run.rerun_of && (
        <span>
          rerun of{' '}
          <Link to="/runs/$runId" params={{ runId: run.rerun_of.id }} className={css.within}>
            run {run.rerun_of.number}
          </Link>
          {run.rerun_of.from && ` from ${run.rerun_of.from}`}
          {!run.rerun_of.reuse && ', nothing reused'}
        </span>
      )}
      {run.resume_no > 0 && <span>resumed {run.resume_no === 1 ? 'once' : `${run.resume_no} times`}</span>}
      <ParametersDialog parameters={run.parameters} />
    </div>
  );
}

/** What a run waits for that has not begun. */
function Queued({ queued: { words, behind } }: { queued: NonNullable<Run['queued']> }) {
  if (behind === null) return <span>{words}</span>;
  return (
    <span title={words}>
      queued behind{' '}
      <Link to="/runs/$runId" params={{ runId: behind.id }} className={css.within}>
        run {behind.number}
      </Link>
    </span>
  );
}

/** The commit, where the code has one, beside the snapshot that every attempt uses. */
function CodeOfRun({ code: { location, snapshot } }: { code: NonNullable<Run['code']> }) {
  const { commit, tree_sha256: tree } = snapshot;
  const words = commit ? `Commit ${commit.sha}${commit.dirty ? ' with uncommitted changes' : ''}: ${commit.subject}. ` : '';
  return (
    <span title={`${words}Snapshot ${tree}`}>
      code {location} at <code>{commit ? commit.sha.slice(0, 10) : shortDigest(tree)}</code>
      {commit?.dirty && ', uncommitted changes'}
    </span>
  );
}

/** Leads to the first task that waits for a person. */
function Approvals({ count, onTask }: { count: number; onTask: (task: string) => void }) {
  const first = useRun((state) => state.keys.find((key) => state.tasks[key]?.state === 'awaiting_approval'));
  return (
    <button
      type="button"
      className={css.approvals}
      data-look="approval"
      disabled={first === undefined}
      onClick={() => first !== undefined && onTask(first)}
    >
      <StateGlyph state="awaiting_approval" size={12} />
      {formatCount(count)} {count === 1 ? 'needs' : 'need'} approval
    </button>
  );
}

function CancelDialog({ run, onClose }: { run: Run; onClose: () => void }) {
  const { refresh } = useRunStore();
  const cancel = useMutation({
    mutationFn: () => cancelRun(run.id),
    onSuccess: async () => {
      await refresh();
      onClose();
    },
  });
  return (
    <Dialog
      open
      onClose={onClose}
      title={`Cancel run ${run.number}?`}
      description="Tasks that are running are stopped; those that wait will not begin. What has succeeded stays, and the run can be resumed later."
      footer={
        <>
          <Button onClick={onClose}>Let it run</Button>
          <Button look="danger" busy={cancel.isPending} onClick={() => cancel.mutate()}>
            Cancel run
          </Button>
        </>
      }
    >
      {cancel.isError && <Notice>{sentenceOf(cancel.error)}</Notice>}
    </Dialog>
  );
}
