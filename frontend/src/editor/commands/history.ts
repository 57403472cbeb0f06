import type { Command } from './types';

export const undo: Command = {
  id: 'undo',
  label: 'Undo',
  group: 'Edit',
  keys: ['Mod+Z'],
  enabled: ({ store }) => store.getState().history.past.length > 0,
  perform: ({ store }) => store.getState().undo(),
};

export const redo: Command = {
  id: 'redo',
  label: 'Redo',
  group: 'Edit',
  keys: ['Mod+Shift+Z', 'Mod+Y'],
  enabled: ({ store }) => store.getState().history.future.length > 0,
  perform: ({ store }) => store.getState().redo(),
};
