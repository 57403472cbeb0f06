import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { liftQuarantine, quarantinesQuery } from '../api/admission';
import { sentenceOf } from '../api/problem';
import type { Quarantine } from '../api/types';
import { Button } from '../ui/Button';
import { Notice } from '../ui/Feedback';
import { Field, Textarea } from '../ui/Fields';
import { FormDialog } from '../ui/FormDialog';
import css from './Ownership.module.css';

/** The tasks of a pipeline that no run begins any more, each with the way out. Nothing while there are none. */
export function QuarantineNotice({ pipeline }: { pipeline: string }) {
  const { data } = useQuery(quarantinesQuery(pipeline));
  const [lifting, setLifting] = useState<Quarantine | null>(null);
  return (
    <>
      {data?.map((row) => (
        <Notice key={row.id}>
          <div className={css.notice}>
            <p>
              <strong>
                {row.task}, version {row.version}, is in quarantine.
              </strong>{' '}
              In <Link to="/runs/$runId" params={{ runId: row.run.id }}>run {row.run.number}</Link> it was lost with its worker three
              times, so no run begins it. {row.remedy}
            </p>
            {row.may_lift && (
              <Button small aria-label={`Lift the quarantine of ${row.task}`} onClick={() => setLifting(row)}>
                Lift
              </Button>
            )}
          </div>
        </Notice>
      ))}
      {lifting && <LiftDialog row={lifting} onClose={() => setLifting(null)} />}
    </>
  );
}

function LiftDialog({ row, onClose }: { row: Quarantine; onClose: () => void }) {
  const [comment, setComment] = useState('');
  const queryClient = useQueryClient();
  const lift = useMutation({
    mutationFn: () => liftQuarantine(row.id, comment),
    onSuccess: async () => {
      await Promise.all(['quarantines', 'runs'].map((key) => queryClient.invalidateQueries({ queryKey: [key] })));
      onClose();
    },
  });
  return (
    <FormDialog
      title={`Lift the quarantine of ${row.task}?`}
      description="Runs begin it again, those that are queued within seconds. If it takes three more workers with it, it is in quarantine again."
      act="Lift"
      look="danger"
      busy={lift.isPending}
      ready={comment.trim() !== ''}
      onSubmit={() => lift.mutate()}
      onClose={onClose}
    >
      {lift.isError && <Notice>{sentenceOf(lift.error)}</Notice>}
      <Field label="Comment" hint="What has changed; it stands in the audit trail.">
        {(control) => <Textarea {...control} rows={2} value={comment} onChange={(event) => setComment(event.target.value)} />}
      </Field>
    </FormDialog>
  );
}
