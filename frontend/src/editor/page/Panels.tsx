import { PanelLeftClose, PanelLeftOpen, PanelRightClose, PanelRightOpen } from 'lucide-react';
import { useEffect, useEffectEvent, useState, type ReactNode } from 'react';
import { IconButton } from '../../ui/Button';
import { Tabs } from '../../ui/Tabs';
import { useJump } from '../jump';
import { useEditor } from '../store';
import { Boundary } from './Boundary';
import { Outline, Palette, PipelinePanel, TaskPanel } from './later';
import { selectedTask } from './selected';
import { Side } from './Side';
import css from './Workbench.module.css';

const LEFT = { usual: 216, least: 180, most: 420 };
const RIGHT = { usual: 360, least: 280, most: 720 };
const TITLES = { pipeline: 'Pipeline', task: 'Task', selection: 'Selection' };

/** Whether this person keeps a panel open. */
function useShown(name: string): [boolean, (shown: boolean) => void] {
  const key = `editor-${name}-hidden`;
  const [shown, setShown] = useState(() => localStorage.getItem(key) === null);
  const change = (next: boolean) => {
    if (next) localStorage.removeItem(key);
    else localStorage.setItem(key, 'yes');
    setShown(next);
  };
  return [shown, change];
}

export function LeftPanel() {
  const [shown, setShown] = useShown('left');
  const [tab, setTab] = useState<'palette' | 'outline'>('palette');
  const Content = tab === 'palette' ? Palette : Outline;
  if (!shown) {
    return (
      <div className={css.strip} data-side="left">
        <IconButton label="Show palette and outline" onClick={() => setShown(true)}>
          <PanelLeftOpen />
        </IconButton>
      </div>
    );
  }
  return (
    <Side label="Palette and outline" name="left" side="left" limits={LEFT}>
      <Tabs
        label="Palette and outline"
        value={tab}
        onChange={setTab}
        tabs={[
          { value: 'palette', label: 'Palette' },
          { value: 'outline', label: 'Outline' },
        ]}
        aside={
          <IconButton label="Hide palette and outline" onClick={() => setShown(false)}>
            <PanelLeftClose />
          </IconButton>
        }
        className={css.tabs}
      >
        <Boundary what={tab === 'palette' ? 'The palette' : 'The outline'}><Content /></Boundary>
      </Tabs>
    </Side>
  );
}

interface RightProps {
  /** What is opened in the place of the task. */
  children: ReactNode;
  /** The task is wanted there. */
  onTask: () => void;
}

/** What is selected, or the pipeline where nothing is; whatever is opened in its place goes first until a task is chosen. */
export function RightPanel({ children, onTask }: RightProps) {
  const [shown, setShown] = useShown('right');
  const task = useEditor(selectedTask);
  const about = useEditor(({ selection }) => (selection.size === 0 ? 'pipeline' : task === null ? 'selection' : 'task'));
  const chosen = useEffectEvent(onTask);
  useEffect(() => {
    if (task !== null) chosen();
  }, [task]);
  useJump(() => {
    setShown(true);
    onTask();
  });
  if (children) {
    return (
      <Side label="History" name="right" side="right" limits={RIGHT}>
        {children}
      </Side>
    );
  }
  if (!shown) {
    return (
      <div className={css.strip} data-side="right">
        <IconButton label="Show the panel" onClick={() => setShown(true)}>
          <PanelRightOpen />
        </IconButton>
      </div>
    );
  }
  const Content = about === 'pipeline' ? PipelinePanel : TaskPanel;
  return (
    <Side label={TITLES[about]} name="right" side="right" limits={RIGHT}>
      <span className={css.hide}>
        <IconButton label="Hide the panel" onClick={() => setShown(false)}>
          <PanelRightClose />
        </IconButton>
      </span>
      <Boundary what={`The panel of the ${about}`}><Content /></Boundary>
    </Side>
  );
}
