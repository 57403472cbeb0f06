import type { EditorState } from '../store';

/** The key of the one task that is selected; null when none is, or several things are. */
export function selectedTask({ selection, doc }: Pick<EditorState, 'selection' | 'doc'>): string | null {
  const [only] = selection;
  return selection.size === 1 && only !== undefined && doc.model.tasks.has(only) ? only : null;
}
