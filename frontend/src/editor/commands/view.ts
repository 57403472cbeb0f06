import type { Command, Part } from './types';
import type { View } from '../store';

function show(view: View, label: string): Command {
  return {
    id: `view-${view}`,
    label,
    group: 'View',
    enabled: ({ store }) => store.getState().view !== view,
    perform: ({ store }) => store.getState().setView(view),
  };
}

function part(id: Part, label: string, ...keys: string[]): Command {
  return { id, label, group: 'View', keys, whileTyping: keys.some((key) => key.startsWith('Mod+')), perform: ({ open }) => open(id) };
}

export const showCanvas = show('canvas', 'Show the canvas');
export const showSplit = show('split', 'Show canvas and YAML');
export const showYaml = show('yaml', 'Show the YAML');
export const problems = part('problems', 'Problems');
export const commandMenu = part('commands', 'All commands', 'Mod+K');
export const shortcuts = part('shortcuts', 'Keyboard shortcuts', '?');
