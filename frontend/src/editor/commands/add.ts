import type { Command } from './types';

/** Asks what to add: blocks and kinds by name. */
export const add: Command = {
  id: 'add',
  label: 'Add a task',
  group: 'Edit',
  keys: ['/'],
  enabled: ({ store }) => !store.getState().readOnly,
  perform: ({ open }) => open('add'),
};
