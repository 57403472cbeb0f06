import { redo, undo } from './history';
import type { Command } from './types';

/** Every command of the editor, in the order of menus and of the shortcut sheet. */
export const COMMANDS: readonly Command[] = [undo, redo];
