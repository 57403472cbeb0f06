import { useMutation } from '@tanstack/react-query';
import { Pause, Play } from 'lucide-react';
import { useState } from 'react';
import { holds } from '../api/pausing';
import { sentenceOf } from '../api/problem';
import type { Paused } from '../api/types';
import { refusalOf } from '../forms/refusal';
import { Button } from '../ui/Button';
import dialog from '../ui/Dialog.module.css';
import { Ago, Moment, PersonName } from '../ui/Facts';
import { Notice } from '../ui/Feedback';
import { Field, Input, Textarea } from '../ui/Fields';
import { FormDialog } from '../ui/FormDialog';
import { fromLocal, toLocal } from '../ui/localTime';
import { useNow } from '../ui/useNow';
import type { Pausable } from './pausable';
import css from './Pausing.module.css';

const LONGEST_REASON = 1000;

function usePaused({ paused }: Pausable): boolean {
  return holds(paused, useNow(paused.paused_until === null ? 0 : 1000));
}

/** Asks why and until when; left out while it is paused, and for those who may not. */
export function PauseButton({ thing }: { thing: Pausable }) {
  const [open, setOpen] = useState(false);
  const paused = usePaused(thing);
  if (!thing.may || paused) return null;
  return (
    <>
      <Button icon={<Pause />} onClick={() => setOpen(true)}>
        Pause
      </Button>
      {open && <PauseDialog thing={thing} onClose={() => setOpen(false)} />}
    </>
  );
}

/** By whom it is paused, until when and why, with the way on. Nothing while it is not. `subject`: where it is not the page's own. */
export function PausedNotice({ thing, subject }: { thing: Pausable; subject?: string }) {
  const [changing, setChanging] = useState(false);
  const unpause = useMutation({ mutationFn: thing.unpause, onSettled: thing.refresh });
  if (!usePaused(thing)) return null;
  return (
    <Notice look="retrying">
      <div className={css.notice}>
        <Words paused={thing.paused} subject={subject} />
        {thing.may && (
          // A run's page may show two pauses: that of the run and that of its pipeline.
          <span className={css.actions} role="group" aria-label={`Pause of ${thing.name}`}>
            <Button small onClick={() => setChanging(true)}>
              Change
            </Button>
            <Button small icon={<Play />} busy={unpause.isPending} onClick={() => unpause.mutate()}>
              Let it go on
            </Button>
          </span>
        )}
      </div>
      {unpause.isError && <p role="alert">{sentenceOf(unpause.error)}</p>}
      {changing && <PauseDialog thing={thing} onClose={() => setChanging(false)} />}
    </Notice>
  );
}

function Words({ paused, subject }: { paused: Paused; subject?: string }) {
  const { paused_at: at, paused_by: by, paused_until: until, paused_reason: reason } = paused;
  return (
    <p className={css.words}>
      <strong>
        {subject ? `${subject} is paused by ` : 'Paused by '}
        <PersonName person={by} none="somebody" />
      </strong>
      {at !== null && (
        <>
          {' '}
          <Ago at={at} />
        </>
      )}
      {until !== null && (
        <>
          , until <Moment at={until} />
        </>
      )}
      {reason !== '' && <>, because: {reason}</>}
    </p>
  );
}

function PauseDialog({ thing, onClose }: { thing: Pausable; onClose: () => void }) {
  const again = usePaused(thing);
  const [reason, setReason] = useState(again ? thing.paused.paused_reason : '');
  const [until, setUntil] = useState(again ? toLocal(thing.paused.paused_until ?? undefined) : '');
  const pause = useMutation({
    mutationFn: () => thing.pause({ reason, until: fromLocal(until) ?? null }),
    onSuccess: async () => {
      await thing.refresh();
      onClose();
    },
  });
  const refusal = refusalOf(pause.error, ['reason', 'until']);
  return (
    <FormDialog
      title={again ? `Change the pause of ${thing.name}` : `Pause ${thing.name}?`}
      description={thing.means}
      act={again ? 'Change' : 'Pause'}
      busy={pause.isPending}
      ready={reason.trim() !== ''}
      onSubmit={() => pause.mutate()}
      onClose={onClose}
    >
      <div className={dialog.stack}>
        {refusal.sentence && <Notice>{refusal.sentence}</Notice>}
        <Field label="Reason" hint="Shown to everybody who sees it, and kept in the audit trail." error={refusal.of('reason')}>
          {(control) => (
            <Textarea {...control} rows={2} maxLength={LONGEST_REASON} value={reason} onChange={(event) => setReason(event.target.value)} />
          )}
        </Field>
        <Field label="Until" hint="By the clock of this browser. Left empty: until somebody lets it go on." error={refusal.of('until')}>
          {(control) => (
            <Input {...control} type="datetime-local" step={60} value={until} onChange={(event) => setUntil(event.target.value)} />
          )}
        </Field>
      </div>
    </FormDialog>
  );
}
