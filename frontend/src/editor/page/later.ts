import { lazy } from 'react';

/* Parts that are loaded after the canvas is there, or when they are first asked for. */

const loadTaskPanel = () => import('../panels/TaskPanel');

/** Fetches the panel of tasks before one is selected: a jump to a field of it is only remembered for a moment. */
export function prepare(): void {
  // Without it the page works all the same, and asks again when a task is selected.
  loadTaskPanel().catch(() => undefined);
}

export const TaskPanel = lazy(async () => ({ default: (await loadTaskPanel()).TaskPanel }));
export const PipelinePanel = lazy(async () => ({ default: (await import('../panels/PipelinePanel')).PipelinePanel }));
export const Palette = lazy(async () => ({ default: (await import('../panels/Palette')).Palette }));
export const Outline = lazy(async () => ({ default: (await import('../panels/Outline')).Outline }));
export const QuickAdd = lazy(async () => ({ default: (await import('../panels/QuickAdd')).QuickAdd }));
export const FindBox = lazy(async () => ({ default: (await import('../panels/FindBox')).FindBox }));
export const CommandMenu = lazy(async () => ({ default: (await import('../panels/CommandMenu')).CommandMenu }));
export const ShortcutSheet = lazy(async () => ({ default: (await import('../panels/ShortcutSheet')).ShortcutSheet }));
export const ProblemsDrawer = lazy(async () => ({ default: (await import('../panels/ProblemsDrawer')).ProblemsDrawer }));
export const HistoryPanel = lazy(async () => ({ default: (await import('../dialogs/HistoryPanel')).HistoryPanel }));
export const ConflictDialog = lazy(async () => ({ default: (await import('../dialogs/ConflictDialog')).ConflictDialog }));
export const Dialogs = lazy(async () => ({ default: (await import('./Dialogs')).Dialogs }));
/** With CodeMirror, which is larger than all the rest. */
export const YamlPane = lazy(async () => ({ default: (await import('../code/YamlPane')).YamlPane }));
