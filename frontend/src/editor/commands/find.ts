import type { Command } from './types';

/** In the code it is the code's own search that answers to the same keys. */
export const find: Command = {
  id: 'find',
  label: 'Find a task',
  group: 'View',
  keys: ['Mod+F'],
  whileTyping: true,
  enabled: ({ store }) => store.getState().doc.model.tasks.size > 0,
  perform: ({ open }) => open('find'),
};
