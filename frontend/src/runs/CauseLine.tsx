import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { BookOpen, RotateCcw, ScrollText } from 'lucide-react';
import { useState } from 'react';
import { addressOf, pipelineQuery } from '../api/pipelines';
import type { Cause, Run } from '../api/types';
import { Button } from '../ui/Button';
import { plural } from '../ui/format';
import { StateGlyph } from '../ui/StateGlyph';
import css from './CauseLine.module.css';
import { ResumeDialog } from './ResumeDialog';
import { causeHead, reasonWords } from './words';

interface Props {
  run: Run;
  cause: Cause;
  onLog: (task: string, attempt: number | null) => void;
}

/** The first thing said about a run in which something failed: which task, which attempt, why. */
export function CauseLine({ run, cause, onLog }: Props) {
  const [resuming, setResuming] = useState(false);
  const others = (run.counts.failed ?? 0) - 1;
  const message = cause.message || reasonWords(cause.reason);
  return (
    <section className={css.line} data-look="failed" aria-label="What failed">
      <StateGlyph state="failed" size={16} />
      <div className={css.words}>
        <strong className={css.sentence}>{causeHead(cause)}:</strong>
        <span className={css.message} title={message}>
          {message}
        </span>
        {others > 0 && <span>{plural(others, 'other task')} failed, too.</span>}
      </div>
      <div className={css.actions}>
        <RunbookLink run={run} />
        {cause.attempt !== null && (
          <Button small icon={<ScrollText />} onClick={() => onLog(cause.task, cause.attempt_no)}>
            Log
          </Button>
        )}
        {run.can.resume && (
          <Button small icon={<RotateCcw />} onClick={() => setResuming(true)}>
            Resume
          </Button>
        )}
      </div>
      {resuming && <ResumeDialog run={run} onClose={() => setResuming(false)} />}
    </section>
  );
}

/** The way to what somebody wrote for this moment; nothing where nobody did. */
function RunbookLink({ run }: { run: Run }) {
  const name = addressOf(run.pipeline);
  const { data: pipeline } = useQuery(pipelineQuery(name));
  const runbook = pipeline?.runbook.trim() ?? '';
  if (runbook === '') return null;
  if (/^https?:\/\/\S+$/i.test(runbook)) {
    return (
      <a href={runbook} target="_blank" rel="noreferrer" className={css.runbook}>
        <BookOpen aria-hidden /> Runbook
      </a>
    );
  }
  return (
    <Link to="/pipelines/$name" params={{ name }} title={runbook} className={css.runbook}>
      <BookOpen aria-hidden /> Runbook
    </Link>
  );
}
