import type { EditorStore } from '../store';

/** What a command may touch beside the document: the page's own dialogs and the canvas' camera. */
export interface Stage {
  store: EditorStore;
  /** Opens a part of the page: `publish`, `history`, `run`, `find`, `shortcuts`, `add`. */
  open: (part: Part) => void;
  /** Null while no canvas is shown. */
  camera: Camera | null;
}

export type Part = 'publish' | 'history' | 'run' | 'find' | 'shortcuts' | 'add' | 'problems' | 'commands';

export interface Camera {
  fit: () => void;
  /** Brings these tasks into view. */
  show: (keys: readonly string[]) => void;
  zoomBy: (factor: number) => void;
  /** The middle of what is seen, on the whole drawing, in pixels. */
  centre: () => { x: number; y: number };
}

/** One gesture: menu, toolbar, shortcut, command palette and test share it. */
export interface Command {
  /** Stable, kebab-case. */
  id: string;
  /** "Delete", as on the menu and in the history. */
  label: string;
  group: 'Edit' | 'Arrange' | 'View' | 'Pipeline';
  /** As written on the shortcut sheet, `Mod` being Ctrl or Cmd: `Mod+Shift+Z`. The first is shown. */
  keys?: readonly string[];
  /** Also while the caret is in a field or the code; false when absent. */
  whileTyping?: boolean;
  /** By keys only where tasks are handled (canvas, outline), so that no panel's control deletes or moves one. */
  within?: 'tasks';
  /** By keys the browser does it, by an event of its own; `perform` is for menus. */
  native?: true;
  enabled?: (stage: Stage) => boolean;
  perform: (stage: Stage) => void;
}
