import { requestJump } from '../jump';
import type { Command, Stage } from './types';

function chosen({ store }: Stage): string | null {
  const { selection, doc } = store.getState();
  const [only, ...others] = selection;
  return only !== undefined && others.length === 0 && doc.model.tasks.has(only) ? only : null;
}

/** Goes to the name in the task's form; every reference follows it. */
export const rename: Command = {
  id: 'rename',
  label: 'Rename',
  group: 'Edit',
  keys: ['F2'],
  within: 'tasks',
  enabled: (stage) => chosen(stage) !== null && !stage.store.getState().readOnly,
  perform: (stage) => requestJump({ key: chosen(stage), place: 'name' }),
};
