import type { Command } from './types';

export const publish: Command = {
  id: 'publish',
  label: 'Publish…',
  group: 'Pipeline',
  keys: ['Mod+Shift+Enter'],
  whileTyping: true,
  enabled: ({ store }) => !store.getState().readOnly,
  perform: ({ open }) => open('publish'),
};

export const run: Command = {
  id: 'run',
  label: 'Run…',
  group: 'Pipeline',
  keys: ['Mod+Enter'],
  whileTyping: true,
  enabled: ({ store }) => !store.getState().readOnly,
  perform: ({ open }) => open('run'),
};

export const history: Command = {
  id: 'history',
  label: 'History',
  group: 'Pipeline',
  perform: ({ open }) => open('history'),
};
