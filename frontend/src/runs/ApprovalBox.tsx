import { useMutation } from '@tanstack/react-query';
import { useQuery } from '@tanstack/react-query';
import { Check, X } from 'lucide-react';
import { useState } from 'react';
import { meQuery } from '../api/me';
import { sentenceOf } from '../api/problem';
import { decide } from '../api/runs';
import type { Approval, Run, TaskRun } from '../api/types';
import { Button } from '../ui/Button';
import { Ago, Moment, PersonName } from '../ui/Facts';
import { Notice } from '../ui/Feedback';
import { Field, Textarea } from '../ui/Fields';
import css from './ApprovalBox.module.css';
import { useRunStore } from './RunContext';
import { approverWords } from './words';

interface Props {
  run: Run;
  task: TaskRun;
  approval: Approval;
}

/** The question an approval task asks, in plain words, or what was answered. */
export function ApprovalBox({ run, task, approval }: Props) {
  if (approval.decision !== null) return <Decided approval={approval} />;
  if (task.state === 'pending') {
    return (
      <section className={css.box} data-look="queued" aria-label="Approval">
        <p>When the tasks before it have ended, this run stops here and asks {approverWords(approval.by)}.</p>
      </section>
    );
  }
  if (task.state !== 'awaiting_approval') return null;
  return <Question run={run} task={task} approval={approval} />;
}

function Decided({ approval }: { approval: Approval }) {
  const approved = approval.decision === 'approved';
  return (
    <section className={css.box} data-look={approved ? 'succeeded' : 'failed'} aria-label="Approval">
      <p>
        <strong>{approved ? 'Approved' : 'Rejected'}</strong> by <PersonName person={approval.decided_by} none="a person" />
        {approval.decided_at && (
          <>
            {' '}
            <Ago at={approval.decided_at} />
          </>
        )}
        .
      </p>
      {approval.comment && <blockquote className={css.comment}>{approval.comment}</blockquote>}
    </section>
  );
}

function Question({ run, task, approval }: Props) {
  const { data: me } = useQuery(meQuery);
  const { refresh } = useRunStore();
  const [comment, setComment] = useState('');
  const answer = useMutation({
    mutationFn: (verdict: 'approve' | 'reject') => decide(task.id, verdict, comment.trim()),
    onSettled: refresh,
  });
  const mine = me !== undefined && run.requested_by?.username === me.username;
  return (
    <section className={css.box} data-look="approval" aria-label="Approval">
      <p>
        <strong>This run waits for a decision</strong> by {approverWords(approval.by)}. Approve lets it go on; Reject ends this
        task as failed.
      </p>
      {approval.deadline_at && (
        <p>
          Without a decision by <Moment at={approval.deadline_at} /> (<Ago at={approval.deadline_at} />) it fails.
        </p>
      )}
      {mine && approval.requester_may_approve && <p>You asked for this run. The task allows you to approve it all the same.</p>}
      {!approval.may_decide && <p>{approval.why_not ?? 'You are not among those who may decide.'}</p>}
      {approval.may_decide && (
        <>
          <Field label="Comment" hint="Kept with the decision, for whoever traces the model later.">
            {(control) => <Textarea {...control} value={comment} onChange={(event) => setComment(event.target.value)} />}
          </Field>
          <div className={css.actions}>
            <Button
              look="primary"
              icon={<Check />}
              busy={answer.isPending && answer.variables === 'approve'}
              disabled={answer.isPending}
              onClick={() => answer.mutate('approve')}
            >
              Approve
            </Button>
            <Button
              look="danger"
              icon={<X />}
              busy={answer.isPending && answer.variables === 'reject'}
              disabled={answer.isPending}
              onClick={() => answer.mutate('reject')}
            >
              Reject
            </Button>
          </div>
        </>
      )}
      {answer.isError && <Notice>{sentenceOf(answer.error)}</Notice>}
    </section>
  );
}
