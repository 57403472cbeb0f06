import { linkByKeys } from '../canvas/keyboard';
import { canvasOf } from '../canvas/state';
import type { Command } from './types';

/** Links by keys: arrows choose among what fits, Enter links. */
export const link: Command = {
  id: 'link',
  label: 'Link from the task',
  group: 'Edit',
  keys: ['C'],
  within: 'tasks',
  enabled: ({ store }) => canvasOf(store).getState().active !== null && !store.getState().readOnly,
  perform: ({ store }) => linkByKeys(store),
};
