import { snapped } from '../../graph/align';
import { canvasOf } from '../canvas/state';
import { setNote } from '../document/operations';
import type { Command } from './types';

const SIZE = { width: 208, height: 104 };

export const addNote: Command = {
  id: 'add-note',
  label: 'Add a note',
  group: 'Edit',
  keys: ['N'],
  within: 'tasks',
  enabled: ({ store, camera }) => camera !== null && !store.getState().readOnly,
  perform: ({ store, camera }) => {
    const { x, y } = camera?.centre() ?? { x: 0, y: 0 };
    const spot = snapped({ x: x - SIZE.width / 2, y: y - SIZE.height / 2 });
    // No task can be called so.
    const id = `note:${crypto.getRandomValues(new Uint32Array(1))[0]?.toString(36) ?? ''}`;
    const added = store.getState().transact('Add a note', (doc) => ({ ...setNote(doc, id, { ...spot, ...SIZE, text: '' }), select: [id] }));
    if (added) canvasOf(store).setState({ active: id, writing: id });
  },
};
