import { COMMANDS } from './index';
import type { Command, Stage } from './types';

type Pressed = Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'shiftKey' | 'altKey'>;

/** `Mod+Shift+Z` of a press, with `Mod` for Ctrl or Cmd. Letters are large; shift is left out of signs it makes. */
export function wordOf({ key, ctrlKey, metaKey, shiftKey, altKey }: Pressed): string {
  const letter = key.length === 1 ? key.toUpperCase() : key;
  const sign = key.length === 1 && key.toUpperCase() === key.toLowerCase();
  return [
    ctrlKey || metaKey ? 'Mod' : '',
    altKey ? 'Alt' : '',
    shiftKey && !sign ? 'Shift' : '',
    letter === ' ' ? 'Space' : letter,
  ]
    .filter(Boolean)
    .join('+');
}

const BY_KEY = new Map<string, Command>();

function commandOf(word: string): Command | undefined {
  if (BY_KEY.size === 0) for (const command of COMMANDS) for (const key of command.keys ?? []) BY_KEY.set(key, command);
  return BY_KEY.get(word);
}

/** Whether a press belongs to the field or the code that the caret is in. */
export function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.closest('input, textarea, select, [contenteditable="true"]') !== null;
}

/** Whether a press was made where tasks are handled, or nowhere in particular. */
function isAmongTasks(target: EventTarget | null): boolean {
  return !(target instanceof Element) || target === document.body || target.closest('[data-tasks]') !== null;
}

/** Carries out the command of a press. False: the press was nobody's, or belongs to what is being typed in. */
export function perform(event: Pressed & { target: EventTarget | null }, stage: Stage): boolean {
  const command = commandOf(wordOf(event));
  if (!command || command.native || (isTyping(event.target) && !command.whileTyping)) return false;
  if (command.within === 'tasks' && !isAmongTasks(event.target)) return false;
  if (command.enabled && !command.enabled(stage)) return false;
  command.perform(stage);
  return true;
}
