import { useMutation, useQuery } from '@tanstack/react-query';
import { Check, Play } from 'lucide-react';
import { Problem, sentenceOf } from '../api/problem';
import { resumePlanQuery, resumeRun } from '../api/runs';
import type { ResumePlan, Run } from '../api/types';
import { Button } from '../ui/Button';
import { Dialog } from '../ui/Dialog';
import { ErrorState, Notice, SkeletonRows } from '../ui/Feedback';
import { plural } from '../ui/format';
import { useRunStore } from './RunContext';
import css from './ResumeDialog.module.css';

/** Shows which tasks will run and which are kept, and why, before anything is done. */
export function ResumeDialog({ run, onClose }: { run: Run; onClose: () => void }) {
  const plan = useQuery(resumePlanQuery(run.id));
  const { refresh } = useRunStore();
  const resume = useMutation({
    mutationFn: () => resumeRun(run.id),
    onSuccess: async () => {
      await refresh();
      onClose();
    },
  });
  const allowed = plan.data?.allowed ?? false;
  return (
    <Dialog
      open
      onClose={onClose}
      title={`Resume run ${run.number}`}
      description="The same run goes on with the same version, parameters and code."
      footer={
        <>
          <Button onClick={onClose}>Close</Button>
          <Button look="primary" busy={resume.isPending} disabled={!allowed} onClick={() => resume.mutate()}>
            {plan.data && allowed ? `Run ${plural(plan.data.tasks.filter(runs).length, 'task')}` : 'Resume'}
          </Button>
        </>
      }
    >
      <div className={css.stack}>
        {resume.isError && <Notice>{sentenceOf(resume.error)}</Notice>}
        {plan.isError && (
          <ErrorState
            title="The plan could not be loaded."
            detail={sentenceOf(plan.error)}
            offline={plan.error instanceof Problem && plan.error.unreachable}
            onRetry={() => void plan.refetch()}
          />
        )}
        {plan.isPending && <SkeletonRows rows={4} label="Making the plan" />}
        {plan.data && <Plan plan={plan.data} />}
      </div>
    </Dialog>
  );
}

type PlanTask = ResumePlan['tasks'][number];
const runs = (task: PlanTask) => task.action === 'run';

function Plan({ plan }: { plan: ResumePlan }) {
  return (
    <>
      {!plan.allowed && <Notice look="retrying">{plan.why_not ?? 'This run cannot be resumed now.'}</Notice>}
      <PlanList title="Will run" look="running" tasks={plan.tasks.filter(runs)} />
      <PlanList title="Kept as they are" look="succeeded" tasks={plan.tasks.filter((task) => !runs(task))} />
    </>
  );
}

function PlanList({ title, look, tasks }: { title: string; look: string; tasks: PlanTask[] }) {
  if (tasks.length === 0) return null;
  return (
    <section>
      <h3 className={css.title}>
        {title} <span className={css.count}>{tasks.length}</span>
      </h3>
      <ul className={css.list} data-look={look}>
        {tasks.map((task) => (
          <li key={task.key} className={css.item}>
            {runs(task) ? <Play aria-hidden /> : <Check aria-hidden />}
            <span className={css.key}>{task.key}</span>
            <span className={css.reason}>{task.reason}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
