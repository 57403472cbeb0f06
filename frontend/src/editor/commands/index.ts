import { find } from './find';
import { redo, undo } from './history';
import { history, publish, run } from './pipeline';
import type { Command } from './types';
import { commandMenu, problems, shortcuts, showCanvas, showSplit, showYaml } from './view';

/** Every command of the editor, in the order of menus and of the shortcut sheet. */
export const COMMANDS: readonly Command[] = [undo, redo, find, showCanvas, showSplit, showYaml, problems, commandMenu, shortcuts, publish, run, history];
