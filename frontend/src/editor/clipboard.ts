import { snapped } from '../graph/align';
import { counted } from './canvas/words';
import { copy, paste, removeTasks } from './document/operations';
import { settled } from './places';
import type { EditorStore } from './store';
import type { Spot } from './types';

/* Tasks as text, from and to the clipboard. The text holds references to secrets, never their values. */

function chosen(store: EditorStore): string[] {
  const { selection, doc } = store.getState();
  return [...selection].filter((id) => doc.model.tasks.has(id));
}

/** The text of the selected tasks; null when none is. */
export function copied(store: EditorStore): string | null {
  const keys = chosen(store);
  if (keys.length === 0) return null;
  const { doc, say } = store.getState();
  say(`${counted(keys.length, 'task')} copied`);
  return copy({ ...doc, layout: settled(doc) }, keys);
}

export function cut(store: EditorStore): string | null {
  const keys = chosen(store);
  const text = copied(store);
  if (text === null) return null;
  return store.getState().transact(`Cut ${counted(keys.length, 'task')}`, (doc) => removeTasks(doc, keys)) ? text : null;
}

/** Tasks of a text around a spot of the drawing; into the scope that alone is selected, otherwise into the pipeline. */
export function pasted(store: EditorStore, text: string, spot: Spot): boolean {
  const { selection, doc, transact } = store.getState();
  const [only] = selection;
  const scope = selection.size === 1 && only !== undefined && doc.model.tasks.get(only)?.scope ? only : null;
  return transact('Paste', (now) => paste(now, text, scope === null ? snapped(spot) : undefined, scope));
}
