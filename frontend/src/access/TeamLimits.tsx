import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { setTeamLimits, teamLimitsQuery } from '../api/admission';
import { sentenceOf } from '../api/problem';
import type { TeamLimits as Limits } from '../api/types';
import { refusalOf } from '../forms/refusal';
import { Button } from '../ui/Button';
import { Fact, Facts } from '../ui/Facts';
import { ErrorState, Notice, SkeletonRows } from '../ui/Feedback';
import { Field, Input } from '../ui/Fields';
import { formatCount } from '../ui/format';
import { FormDialog } from '../ui/FormDialog';
import { Section } from '../ui/Page';
import css from './Access.module.css';

const COUNTS = ['active_runs', 'queued_tasks', 'running_tasks'] as const;
const NAMES = { active_runs: 'Unfinished runs', queued_tasks: 'Tasks that wait', running_tasks: 'Tasks that run' };
const HINTS = {
  active_runs: 'A start beyond them is refused.',
  queued_tasks: 'Those of unfinished runs that have neither ended nor run; a start that brings more is refused.',
  running_tasks: 'At once, on all queues; further ones wait.',
};

/** What a team has now of what it may have at a time; a site admin says how much that is. */
export function TeamLimits({ team }: { team: string }) {
  const query = useQuery(teamLimitsQuery(team));
  const [open, setOpen] = useState(false);
  return (
    <Section title="Limits" actions={query.data?.may_set && <Button small onClick={() => setOpen(true)}>Set limits</Button>}>
      {query.isPending && <SkeletonRows rows={3} label="Loading the limits" />}
      {query.isError && (
        <ErrorState title="The limits could not be loaded." detail={sentenceOf(query.error)} onRetry={() => void query.refetch()} />
      )}
      {query.data && <Figures limits={query.data} />}
      {query.data && open && <LimitsDialog limits={query.data} onClose={() => setOpen(false)} />}
    </Section>
  );
}

function Figures({ limits }: { limits: Limits }) {
  return (
    <Facts>
      {COUNTS.map((name) => (
        <Fact key={name} name={NAMES[name]}>
          {formatCount(limits.now[name])} now, {atMost(limits[name])}
        </Fact>
      ))}
      <Fact name="Share">{formatCount(limits.weight ?? 1)}, beside those of other teams on a queue</Fact>
      {limits.queues.map((each) => (
        <Fact key={each.queue} name={`Queue ${each.queue}`}>
          tasks that run: {atMost(each.running_tasks)}
          {each.weight !== null && `; share ${formatCount(each.weight)}`}
        </Fact>
      ))}
    </Facts>
  );
}

function atMost(limit: number | null): string {
  return limit === null ? 'no limit' : `at most ${formatCount(limit)}`;
}

/** Changes what holds over all queues; what holds on single ones stays as it is. */
function LimitsDialog({ limits, onClose }: { limits: Limits; onClose: () => void }) {
  const fields = [...COUNTS, 'weight'] as const;
  const [form, setForm] = useState(() => Object.fromEntries(fields.map((name) => [name, limits[name]?.toString() ?? ''])));
  const queryClient = useQueryClient();
  const save = useMutation({
    mutationFn: () => {
      const wanted = Object.fromEntries(fields.map((name) => [name, form[name] === '' ? null : Number(form[name])]));
      return setTeamLimits(limits.team, { ...wanted, queues: limits.queues });
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
  const refusal = refusalOf(save.error, [...fields]);
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
      </div>
    </FormDialog>
  );
}
