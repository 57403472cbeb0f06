import { add } from './add';
import { ALIGNING, dissolve, foldScope, makeGroup, MOVING, tidy, tidySelection } from './arrange';
import { fit, zoomIn, zoomOut, zoomToSelection } from './camera';
import { find } from './find';
import { redo, undo } from './history';
import { link } from './links';
import { addNote } from './notes';
import { history, publish, run } from './pipeline';
import { rename } from './rename';
import { copySelection, cutSelection, duplicateChosen, paste, remove, selectAll, selectDownstream, selectUpstream } from './select';
import type { Command } from './types';
import { commandMenu, problems, shortcuts, showCanvas, showSplit, showYaml } from './view';

/** Every command of the editor, in the order of menus and of the shortcut sheet. */
export const COMMANDS: readonly Command[] = [
  add,
  undo,
  redo,
  copySelection,
  cutSelection,
  paste,
  duplicateChosen,
  remove,
  rename,
  selectAll,
  selectUpstream,
  selectDownstream,
  link,
  addNote,
  find,
  tidy,
  tidySelection,
  makeGroup,
  dissolve,
  ...ALIGNING,
  ...MOVING,
  fit,
  zoomIn,
  zoomOut,
  zoomToSelection,
  foldScope,
  showCanvas,
  showSplit,
  showYaml,
  problems,
  commandMenu,
  shortcuts,
  publish,
  run,
  history,
];
