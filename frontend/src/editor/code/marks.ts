import { type Extension, StateEffect, StateField, type Text } from '@codemirror/state';
import { Decoration, type DecorationSet, EditorView } from '@codemirror/view';
import type { TaskModel } from '../types';

/* The lines of the selected tasks, softly marked. While a text cannot be read, the marks move with its lines. */

const setMarked = StateEffect.define<readonly TaskModel[]>();
const line = Decoration.line({ class: 'cm-ofSelectedTask' });

const marked = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(lines, transaction) {
    const asked = transaction.effects.find((effect) => effect.is(setMarked));
    return asked ? linesOf(asked.value, transaction.newDoc) : lines.map(transaction.changes);
  },
  provide: (field) => EditorView.decorations.from(field),
});

export const selectedTasks: Extension = marked;

export function markTasks(view: EditorView, tasks: readonly TaskModel[]): void {
  view.dispatch({ effects: setMarked.of(tasks) });
}

function linesOf(tasks: readonly TaskModel[], text: Text): DecorationSet {
  const numbers = new Set(tasks.flatMap(({ line: first, lastLine }) => between(first, Math.min(lastLine, text.lines))));
  return Decoration.set([...numbers].sort((one, other) => one - other).map((number) => line.range(text.line(number).from)));
}

function between(first: number, last: number): number[] {
  return Array.from({ length: Math.max(last - first + 1, 0) }, (_, at) => first + at);
}
