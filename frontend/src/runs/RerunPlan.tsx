import { Check, Play, Split } from 'lucide-react';
import type { ReactNode } from 'react';
import type { RerunPlan } from '../api/types';
import css from './ResumeDialog.module.css';
import own from './RerunDialog.module.css';

type PlanTask = RerunPlan['tasks'][number];

const LISTS: { action: PlanTask['action']; title: string; look: string; icon: ReactNode }[] = [
  { action: 'run', title: 'Will run', look: 'running', icon: <Play aria-hidden /> },
  { action: 'reuse', title: 'Reused', look: 'succeeded', icon: <Check aria-hidden /> },
  { action: 'decide', title: 'Decided during the run', look: 'queued', icon: <Split aria-hidden /> },
];

/** What each task of a rerun will do, and why. A group is what its tasks are, so it is not listed. */
export function RerunPlanLists({ plan }: { plan: RerunPlan }) {
  const tasks = plan.tasks.filter((task) => task.kind !== 'group');
  return (
    <>
      {LISTS.map((list) => {
        const found = tasks.filter((task) => task.action === list.action);
        if (found.length === 0) return null;
        return (
          <section key={list.action} aria-label={list.title}>
            <h3 className={css.title}>
              {list.title} <span className={css.count}>{found.length}</span>
            </h3>
            <ul className={css.list} data-look={list.look} tabIndex={0} aria-label={`Tasks: ${list.title}`}>
              {found.map((task) => (
                <li key={task.key} className={css.item}>
                  {list.icon}
                  <span className={`${css.key} ${own.key}`}>{task.key}</span>
                  <span className={css.reason}>
                    {task.reason}
                    {task.details.map((words) => (
                      <span key={words} className={own.detail}>
                        {words}
                      </span>
                    ))}
                  </span>
                </li>
              ))}
            </ul>
          </section>
        );
      })}
    </>
  );
}
