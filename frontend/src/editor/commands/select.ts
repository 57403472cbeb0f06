import { beyond } from '../../graph/judge';
import { counted } from '../canvas/words';
import { copied, cut, pasted } from '../clipboard';
import { disconnect, duplicate, inOrder, removeTasks, setNote } from '../document/operations';
import type { Doc } from '../types';
import { chosenTasks } from './arrange';
import type { Command, Stage } from './types';

export const selectAll: Command = {
  id: 'select-all',
  label: 'Select all',
  group: 'Edit',
  keys: ['Mod+A'],
  within: 'tasks',
  perform: ({ store }) => {
    const { doc, select, say } = store.getState();
    select(doc.model.tasks.keys());
    say(`${counted(doc.model.tasks.size, 'task')} selected`);
  },
};

function selectBeyond(way: 'up' | 'down', id: string, label: string): Command {
  return {
    id,
    label,
    group: 'Edit',
    enabled: (stage) => chosenTasks(stage).length > 0,
    perform: (stage) => {
      const { doc, select, say } = stage.store.getState();
      const found = new Set(chosenTasks(stage).flatMap((key) => [key, ...beyond(doc.model.links, key, way)]));
      select(found);
      say(`${counted(found.size, 'task')} selected`);
    },
  };
}

export const selectUpstream = selectBeyond('up', 'select-upstream', 'Select everything upstream');
export const selectDownstream = selectBeyond('down', 'select-downstream', 'Select everything downstream');

function chosenLinks({ store }: Stage): string[] {
  const { selection, doc } = store.getState();
  return doc.model.links.filter(({ id }) => selection.has(id)).map(({ id }) => id);
}

function chosenNotes({ store }: Stage): string[] {
  const { selection, doc } = store.getState();
  return [...selection].filter((id) => id in doc.layout.notes);
}

export const remove: Command = {
  id: 'delete',
  label: 'Delete',
  group: 'Edit',
  keys: ['Delete', 'Backspace'],
  within: 'tasks',
  enabled: (stage) => chosenTasks(stage).length + chosenLinks(stage).length + chosenNotes(stage).length > 0,
  perform: (stage) => {
    const [keys, links, notes] = [chosenTasks(stage), chosenLinks(stage), chosenNotes(stage)];
    // Links first: what they are called depends on the tasks around them.
    stage.store.getState().transact(`Delete ${deleted(keys, links, notes)}`, (doc) =>
      inOrder(doc, [
        ...(links.length > 0 ? [(now: Doc) => disconnect(now, links)] : []),
        ...(keys.length > 0 ? [(now: Doc) => removeTasks(now, keys)] : []),
        ...notes.map((id) => (now: Doc) => setNote(now, id, null)),
      ]),
    );
  },
};

function deleted(keys: readonly string[], links: readonly string[], notes: readonly string[]): string {
  const [only] = keys;
  if (only !== undefined) return keys.length === 1 ? only : counted(keys.length, 'task');
  return links.length > 0 ? counted(links.length, 'link') : counted(notes.length, 'note');
}

export const duplicateChosen: Command = {
  id: 'duplicate',
  label: 'Duplicate',
  group: 'Edit',
  keys: ['Mod+D'],
  within: 'tasks',
  enabled: (stage) => chosenTasks(stage).length > 0,
  perform: (stage) => {
    const keys = chosenTasks(stage);
    stage.store.getState().transact(`Duplicate ${counted(keys.length, 'task')}`, (doc) => duplicate(doc, keys));
  },
};

// By keys it is the browser that copies, cuts and pastes: it alone may read the clipboard without asking.

/** What the clipboard takes, or why not: it is there on https and localhost only, and a browser may forbid it. */
async function handOver({ store }: Stage, text: string | null, letter: string): Promise<boolean> {
  if (text === null) return false;
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    store.getState().refuse(`The browser does not let this page write to the clipboard: press Ctrl or Cmd and ${letter} on the canvas.`);
    return false;
  }
}

async function pasteHere({ store, camera }: Stage): Promise<void> {
  try {
    pasted(store, await navigator.clipboard.readText(), camera?.centre() ?? { x: 0, y: 0 });
  } catch {
    store.getState().refuse('The browser does not let this page read the clipboard: press Ctrl or Cmd and V on the canvas.');
  }
}

export const copySelection: Command = {
  id: 'copy',
  label: 'Copy',
  group: 'Edit',
  keys: ['Mod+C'],
  native: true,
  enabled: (stage) => chosenTasks(stage).length > 0,
  perform: (stage) => void handOver(stage, copied(stage.store), 'C'),
};

export const cutSelection: Command = {
  id: 'cut',
  label: 'Cut',
  group: 'Edit',
  keys: ['Mod+X'],
  native: true,
  enabled: (stage) => chosenTasks(stage).length > 0,
  perform: (stage) => {
    // Nothing is taken away before the clipboard has it.
    void handOver(stage, copied(stage.store), 'X').then((given) => given && cut(stage.store));
  },
};

export const paste: Command = {
  id: 'paste',
  label: 'Paste',
  group: 'Edit',
  keys: ['Mod+V'],
  native: true,
  perform: (stage) => void pasteHere(stage),
};
