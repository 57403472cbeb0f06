import { PanelLeft, PanelRight } from 'lucide-react';
import { useMemo, useState } from 'react';
import type { Pipeline } from '../../api/types';
import { IconButton } from '../../ui/Button';
import { Tabs } from '../../ui/Tabs';
import type { Camera } from '../commands/types';
import { useEditor } from '../store';
import { Boundary } from './Boundary';
import { part } from './parts';
import { Side } from './Side';
import { TopBar } from './TopBar';
import css from './Workbench.module.css';

const Palette = part('panels', 'Palette');
const Outline = part('panels', 'Outline');
const TaskPanel = part('panels', 'TaskPanel');
const PipelinePanel = part('panels', 'PipelinePanel');
const ProblemsDrawer = part('panels', 'ProblemsDrawer');
const EditorCanvas = part<{ onCamera: (camera: Camera | null) => void }>('canvas', 'EditorCanvas');
const YamlPane = part('code', 'YamlPane');

const LEFT = { usual: 200, least: 160, most: 420 };
const RIGHT = { usual: 360, least: 280, most: 720 };

/** The editor's screen: bar, panels on both sides, canvas or YAML or both between them, problems below. */
export function Workbench({ pipeline }: { pipeline: Pipeline }) {
  const [left, setLeft] = useState(true);
  const [right, setRight] = useState(true);
  const [problems, setProblems] = useState(false);
  const [, setCamera] = useState<Camera | null>(null);
  return (
    <div className={css.page}>
      <TopBar pipeline={pipeline} onProblems={() => setProblems(!problems)} />
      <div className={css.body}>
        <IconButton label={left ? 'Hide the palette' : 'Show the palette'} onClick={() => setLeft(!left)}>
          <PanelLeft />
        </IconButton>
        {left && <LeftPanel />}
        <div className={css.middle}>
          <Middle onCamera={setCamera} />
          {problems && ProblemsDrawer && (
            <Boundary what="The problems">
              <ProblemsDrawer />
            </Boundary>
          )}
        </div>
        {right && <RightPanel />}
        <IconButton label={right ? 'Hide the panel' : 'Show the panel'} onClick={() => setRight(!right)}>
          <PanelRight />
        </IconButton>
      </div>
    </div>
  );
}

function LeftPanel() {
  const [tab, setTab] = useState<'palette' | 'outline'>('palette');
  const Part = tab === 'palette' ? Palette : Outline;
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
      >
        <Boundary what={tab === 'palette' ? 'The palette' : 'The outline'}>{Part && <Part />}</Boundary>
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
          <Boundary what="The canvas">{EditorCanvas && <EditorCanvas onCamera={onCamera} />}</Boundary>
        </div>
      )}
      {view !== 'canvas' && (
        <div className={css.view}>
          <Boundary what="The YAML">{YamlPane && <YamlPane />}</Boundary>
        </div>
      )}
    </div>
  );
}

/** The key of the one task that is selected. */
function useSelectedTask(): string | null {
  return useEditor(({ selection, doc }) => {
    const [only] = selection;
    return selection.size === 1 && only !== undefined && doc.model.tasks.has(only) ? only : null;
  });
}

function RightPanel() {
  const task = useSelectedTask();
  const Part = useMemo(() => (task === null ? PipelinePanel : TaskPanel), [task]);
  return (
    <Side label={task === null ? 'Pipeline' : 'Task'} name="right" side="right" limits={RIGHT}>
      <Boundary what="The panel">{Part && <Part />}</Boundary>
    </Side>
  );
}
