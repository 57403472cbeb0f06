import { PanelLeftClose, PanelLeftOpen, PanelRightClose, PanelRightOpen } from 'lucide-react';
import { lazy, useCallback, useMemo, useState, type ReactNode } from 'react';
import type { Pipeline } from '../../api/types';
import { IconButton } from '../../ui/Button';
import { Tabs } from '../../ui/Tabs';
import { requestAdd } from '../adding';
import { EditorCanvas } from '../canvas/EditorCanvas';
import { useCatalogue } from '../catalogue';
import type { Camera, Part, Stage } from '../commands/types';
import { HistoryPanel } from '../dialogs/HistoryPanel';
import { CommandMenu } from '../panels/CommandMenu';
import { FindBox } from '../panels/FindBox';
import { Outline } from '../panels/Outline';
import { Palette } from '../panels/Palette';
import { PipelinePanel } from '../panels/PipelinePanel';
import { ProblemsDrawer } from '../panels/ProblemsDrawer';
import { QuickAdd } from '../panels/QuickAdd';
import { ShortcutSheet } from '../panels/ShortcutSheet';
import { TaskPanel } from '../panels/TaskPanel';
import type { SafetyCopy } from '../safety';
import type { EditorSearch } from '../search';
import { useEditor, useEditorStore } from '../store';
import { useValidation } from '../validation';
import { Announcer } from './Announcer';
import { Boundary } from './Boundary';
import { Dialogs, type Asked } from './Dialogs';
import { LeaveGuard } from './LeaveGuard';
import { Notices } from './Notices';
import { selectedTask } from './selected';
import { Side } from './Side';
import { StageContext } from './stage';
import { TopBar } from './TopBar';
import { useAddress } from './useAddress';
import { useKeys } from './useKeys';
import css from './Workbench.module.css';

// With CodeMirror, which is as large as all the rest.
const YamlPane = lazy(() => import('../code/YamlPane').then((module) => ({ default: module.YamlPane })));

const LEFT = { usual: 216, least: 180, most: 420 };
const RIGHT = { usual: 360, least: 280, most: 720 };

interface Props {
  pipeline: Pipeline;
  whyReadOnly: string | null;
  copies: readonly SafetyCopy[];
  panel: EditorSearch['panel'];
}

interface Opened {
  history: boolean;
  problems: boolean;
  find: boolean;
  shortcuts: boolean;
  commands: boolean;
}

/** The editor's screen: bar, panels on both sides, canvas or YAML or both between them, problems below. */
export function Workbench({ pipeline, whyReadOnly, copies, panel }: Props) {
  const store = useEditorStore();
  const [camera, setCamera] = useState<Camera | null>(null);
  const [asked, setAsked] = useState<Asked>(null);
  const [opened, setOpened] = useState<Opened>({
    history: panel === 'history',
    problems: panel === 'problems',
    find: false,
    shortcuts: false,
    commands: false,
  });
  const show = useCallback((name: keyof Opened, shown: boolean) => setOpened((old) => ({ ...old, [name]: shown })), []);
  const open = useCallback(
    (name: Part) => {
      if (name === 'publish' || name === 'run') setAsked(name);
      else if (name === 'add') requestAdd(store);
      else setOpened((old) => ({ ...old, [name]: name === 'find' || !old[name] }));
    },
    [store],
  );
  const stage = useMemo<Stage>(() => ({ store, open, camera }), [store, open, camera]);
  useKeys(stage);
  useCatalogue();
  useValidation();
  useAddress(opened.history ? 'history' : opened.problems ? 'problems' : undefined);
  return (
    <StageContext value={stage}>
      <div className={css.page}>
        <TopBar pipeline={pipeline} />
        <Notices whyReadOnly={whyReadOnly} copies={copies} />
        <div className={css.body}>
          <LeftPanel />
          <div className={css.middle}>
            <Middle onCamera={setCamera} />
            {opened.find && <FindBox onClose={() => show('find', false)} />}
            {opened.problems && (
              <Boundary what="The list of problems">
                <ProblemsDrawer />
              </Boundary>
            )}
          </div>
          <RightPanel>{opened.history && <HistoryPanel pipeline={pipeline} onClose={() => show('history', false)} />}</RightPanel>
        </div>
      </div>
      <Dialogs pipeline={pipeline} asked={asked} onAsk={setAsked} />
      <CommandMenu open={opened.commands} onOpenChange={(next) => show('commands', next)} stage={stage} />
      <ShortcutSheet open={opened.shortcuts} onClose={() => show('shortcuts', false)} />
      <Boundary what="The search for a new task">
        <QuickAdd />
      </Boundary>
      <LeaveGuard />
      <Announcer />
    </StageContext>
  );
}

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

function LeftPanel() {
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

function Middle({ onCamera }: { onCamera: (camera: Camera | null) => void }) {
  const view = useEditor((state) => state.view);
  return (
    <div className={css.views} data-view={view}>
      {view !== 'yaml' && (
        <div className={css.view}>
          <Boundary what="The canvas"><EditorCanvas onCamera={onCamera} /></Boundary>
        </div>
      )}
      {view !== 'canvas' && (
        <div className={css.view}>
          <Boundary what="The YAML"><YamlPane /></Boundary>
        </div>
      )}
    </div>
  );
}

/** The selected task, or the pipeline where none is; whatever is opened in its place goes first. */
function RightPanel({ children }: { children: ReactNode }) {
  const [shown, setShown] = useShown('right');
  const selected = useEditor(selectedTask) !== null;
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
  const Content = selected ? TaskPanel : PipelinePanel;
  return (
    <Side label={selected ? 'Task' : 'Pipeline'} name="right" side="right" limits={RIGHT}>
      <span className={css.hide}>
        <IconButton label="Hide the panel" onClick={() => setShown(false)}>
          <PanelRightClose />
        </IconButton>
      </span>
      <Boundary what={selected ? 'The panel of the task' : 'The panel of the pipeline'}><Content /></Boundary>
    </Side>
  );
}
