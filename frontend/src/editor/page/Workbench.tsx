import { useEffect, useMemo, useState } from 'react';
import type { Pipeline } from '../../api/types';
import { EditorCanvas } from '../canvas/EditorCanvas';
import { useCatalogue } from '../catalogue';
import type { Camera, Stage } from '../commands/types';
import type { SafetyCopy } from '../safety';
import type { EditorSearch } from '../search';
import { forgetJump } from '../jump';
import { useEditor, useEditorStore } from '../store';
import { useValidation } from '../validation';
import { Announcer } from './Announcer';
import { Boundary } from './Boundary';
import { CommandMenu, Dialogs, FindBox, HistoryPanel, prepare, ProblemsDrawer, QuickAdd, ShortcutSheet, YamlPane } from './later';
import { LeaveGuard } from './LeaveGuard';
import { Notices } from './Notices';
import { LeftPanel, RightPanel } from './Panels';
import { StageContext } from './stage';
import { TopBar } from './TopBar';
import { useAddress } from './useAddress';
import { useKeys } from './useKeys';
import { useOpened } from './useOpened';
import css from './Workbench.module.css';

interface Props {
  pipeline: Pipeline;
  whyReadOnly: string | null;
  copies: readonly SafetyCopy[];
  panel: EditorSearch['panel'];
}

/** The editor's screen: bar, panels on both sides, canvas or YAML or both between them, problems below. */
export function Workbench({ pipeline, whyReadOnly, copies, panel }: Props) {
  const store = useEditorStore();
  const [camera, setCamera] = useState<Camera | null>(null);
  const { opened, wanted, asked, open, close, ask } = useOpened(panel);
  const stage = useMemo<Stage>(() => ({ store, open, camera }), [store, open, camera]);
  useKeys(stage);
  useCatalogue();
  useValidation();
  useAddress(opened.history ? 'history' : opened.problems ? 'problems' : undefined);
  useEffect(prepare, []);
  useEffect(() => forgetJump, []);
  return (
    <StageContext value={stage}>
      <div className={css.page}>
        <TopBar pipeline={pipeline} />
        <Notices whyReadOnly={whyReadOnly} copies={copies} />
        <div className={css.body}>
          <LeftPanel />
          <div className={css.middle}>
            <Middle onCamera={setCamera} />
            <Boundary what="The search" quiet>
              {opened.find && <FindBox onClose={close.find} />}
            </Boundary>
            <Boundary what="The list of problems" quiet>
              {opened.problems && <ProblemsDrawer />}
            </Boundary>
          </div>
          <RightPanel onTask={close.history}>
            {opened.history && (
              <Boundary what="The history">
                <HistoryPanel pipeline={pipeline} onClose={close.history} />
              </Boundary>
            )}
          </RightPanel>
        </div>
      </div>
      <Boundary what="The dialog" quiet>
        {asked !== null && <Dialogs pipeline={pipeline} asked={asked} onAsk={ask} />}
        {wanted.commands && <CommandMenu open={opened.commands} onOpenChange={close.commands} stage={stage} />}
        {wanted.shortcuts && <ShortcutSheet open={opened.shortcuts} onClose={close.shortcuts} />}
      </Boundary>
      <Boundary what="The search for a new task" quiet>
        <QuickAdd />
      </Boundary>
      <LeaveGuard />
      <Announcer />
    </StageContext>
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
