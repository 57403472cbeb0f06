import type { Diagnostic } from '@codemirror/lint';
import type { Text } from '@codemirror/state';
import type { Problem } from '../types';

/** Where a text is wrong; line and column from 1, the column in characters as the server counts them. */
export interface Spot {
  line: number;
  column: number;
}

/** Problems as marks in a text. Those that name no line stand on the first one. */
export function diagnostics(problems: readonly Problem[], text: Text, spotOf: (problem: Problem) => Spot = (problem) => problem): Diagnostic[] {
  return problems
    .map((problem) => ({
      ...rangeOf(spotOf(problem), text),
      severity: problem.severity === 'warning' ? ('warning' as const) : ('error' as const),
      message: problem.message,
    }))
    .sort((one, other) => one.from - other.from);
}

/** From the place to the end of what is written on its line, without a comment; at least one character where there is one. */
function rangeOf({ line, column }: Spot, text: Text): { from: number; to: number } {
  const { from: start, text: written } = text.line(Math.min(Math.max(line, 1), text.lines));
  const end = written.replace(/\s+#.*$/, '').trimEnd().length;
  const first = Math.min(unitsOf(written, Math.max(column, 1) - 1), Math.max(end - 1, 0));
  return { from: start + first, to: start + Math.max(end, first) };
}

/** Characters counted as code points -> as UTF-16 units. */
function unitsOf(written: string, characters: number): number {
  let units = 0;
  for (const character of written) {
    if (characters-- <= 0) break;
    units += character.length;
  }
  return units;
}
