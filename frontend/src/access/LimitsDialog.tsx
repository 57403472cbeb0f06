import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { setTeamLimits } from '../api/admission';
import type { TeamLimits } from '../api/types';
import { refusalOf } from '../forms/refusal';
import { Notice } from '../ui/Feedback';
import { Field, Input } from '../ui/Fields';
import { FormDialog } from '../ui/FormDialog';
import css from './Access.module.css';
import { QueueLimits, type QueueRow } from './QueueLimits';
import { numberOf, textOf } from './limitText';

export const COUNTS = ['active_runs', 'queued_tasks', 'running_tasks'] as const;
export const NAMES = { active_runs: 'Unfinished runs', queued_tasks: 'Tasks that wait', running_tasks: 'Tasks that run' };
const HINTS = {
  active_runs: 'A start beyond them is refused.',
  queued_tasks: 'Those of unfinished runs that have neither ended nor run; a start that brings more is refused.',
  running_tasks: 'At once, on all queues; further ones wait.',
};
const FIELDS = [...COUNTS, 'weight'] as const;

/** Says what a team may have at a time, over all queues and on single ones. */
export function LimitsDialog({ limits, onClose }: { limits: TeamLimits; onClose: () => void }) {
  const [form, setForm] = useState(() => Object.fromEntries(FIELDS.map((name) => [name, textOf(limits[name])])));
  const [queues, setQueues] = useState(() =>
    limits.queues.map(({ queue, running_tasks, weight }): QueueRow => ({ queue, running_tasks: textOf(running_tasks), weight: textOf(weight) })),
  );
  const queryClient = useQueryClient();
  const save = useMutation({
    mutationFn: () => {
      const wanted = Object.fromEntries(FIELDS.map((name) => [name, numberOf(form[name])]));
      const single = queues.map((row) => ({ queue: row.queue, running_tasks: numberOf(row.running_tasks), weight: numberOf(row.weight) }));
      return setTeamLimits(limits.team, { ...wanted, queues: single });
    },
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: ['team-limits'] });
      onClose();
    },
  });
  const change = (name: string, value: string) => {
    save.reset();
    setForm((old) => ({ ...old, [name]: value }));
  };
  const refusal = refusalOf(save.error, [...FIELDS, 'queues']);
  return (
    <FormDialog
      title={`Limits of ${limits.team}`}
      description="They hold from the next start and the next task on. A field that is empty is no limit."
      act="Save"
      busy={save.isPending}
      ready
      onSubmit={() => save.mutate()}
      onClose={onClose}
    >
      <div className={css.stack}>
        {refusal.sentence && <Notice>{refusal.sentence}</Notice>}
        {COUNTS.map((name) => (
          <Field key={name} label={NAMES[name]} hint={HINTS[name]} error={refusal.of(name)}>
            {(control) => (
              <Input {...control} type="number" min={0} value={form[name]} onChange={(event) => change(name, event.target.value)} />
            )}
          </Field>
        ))}
        <Field label="Share" hint="Of each queue, beside other teams: 2 gets twice as much as 1." error={refusal.of('weight')}>
          {(control) => (
            <Input
              {...control}
              type="number"
              min={0}
              step="any"
              value={form.weight}
              onChange={(event) => change('weight', event.target.value)}
            />
          )}
        </Field>
        <QueueLimits
          rows={queues}
          problem={refusal.of('queues')}
          onChange={(rows) => {
            save.reset();
            setQueues(rows);
          }}
        />
      </div>
    </FormDialog>
  );
}
