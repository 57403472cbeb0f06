import { useRef, useState } from 'react';
import { Notice } from '../../../ui/Feedback';
import { Tabs } from '../../../ui/Tabs';
import { useJump } from '../../jump';
import { useEditor } from '../../store';
import { FormTarget } from '../form/target';
import css from '../Panel.module.css';
import { FlowTab } from './FlowTab';
import { ParametersTab } from './ParametersTab';
import { RunTab } from './RunTab';
import { TaskHead } from './TaskHead';

type Tab = 'parameters' | 'flow' | 'run';

const TABS: readonly { value: Tab; label: string }[] = [
  { value: 'parameters', label: 'Parameters' },
  { value: 'flow', label: 'Flow' },
  { value: 'run', label: 'Run' },
];

/** Keys of a task that are not on the first tab. */
const PLACES: Readonly<Record<string, Tab>> = {
  when: 'flow',
  needs: 'flow',
  queue: 'run',
  timeout: 'run',
  retries: 'run',
  resources: 'run',
  start: 'run',
  cache: 'run',
};

/** Everything that one task says. */
export function OneTaskPanel({ taskKey }: { taskKey: string }) {
  const task = useEditor(({ doc }) => doc.model.tasks.get(taskKey));
  const kind = useEditor(({ catalogue }) => catalogue.kinds.get(task?.kind ?? ''));
  const [tab, setTab] = useState<Tab>('parameters');
  const panel = useRef<HTMLDivElement>(null);
  useJump(({ key, place = '' }) => {
    if (key !== taskKey) return;
    setTab(PLACES[place.split('.', 1)[0] ?? ''] ?? 'parameters');
    setTimeout(() => focusPlace(panel.current, place));
  });
  if (!task) return null;
  const tabs = kind && !kind.worked ? TABS.filter(({ value }) => value !== 'run') : TABS;
  const shown = tabs.some(({ value }) => value === tab) ? tab : 'parameters';
  return (
    <div ref={panel} className={css.panel} data-panel>
      <FormTarget task={taskKey}>
        <TaskHead task={task} kind={kind} />
        {kind?.available === false && (
          <div className={css.notice}>
            <Notice look="retrying">{kind.title} can be drawn but does not run here yet: a pipeline with it cannot be published.</Notice>
          </div>
        )}
        <Tabs label="Task" value={shown} onChange={setTab} tabs={[...tabs]} className={css.tabs}>
          <div key={taskKey} className={css.body}>
            {shown === 'parameters' && <ParametersTab task={task} kind={kind} />}
            {shown === 'flow' && <FlowTab task={task} />}
            {shown === 'run' && <RunTab task={task} kind={kind} />}
          </div>
        </Tabs>
      </FormTarget>
    </div>
  );
}

const FOCUSABLE = 'input, select, textarea, button, [tabindex]';

/** Focuses the field of a place, or of what holds it; the name of the task when there is none. */
export function focusPlace(panel: HTMLElement | null, place: string): void {
  for (let at = place; at !== ''; at = at.slice(0, Math.max(at.lastIndexOf('.'), 0))) {
    const found = panel?.querySelector<HTMLElement>(`[id="field-${at}"]`);
    const control = found?.matches(FOCUSABLE) ? found : found?.querySelector<HTMLElement>(FOCUSABLE);
    if (control) {
      control.focus();
      return;
    }
  }
  panel?.querySelector<HTMLElement>(FOCUSABLE)?.focus();
}
