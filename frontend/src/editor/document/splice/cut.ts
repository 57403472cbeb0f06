/* Replacing parts of a text, all given by places in the text before. */

export interface Cut {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** The text with every cut made; they do not overlap. */
export function withCuts(text: string, cuts: readonly Cut[]): string {
  const ordered = [...cuts].sort((one, other) => one.start - other.start || one.end - other.end);
  let result = '';
  let end = 0;
  for (const cut of ordered) {
    result += text.slice(end, cut.start) + cut.text;
    end = cut.end;
  }
  return result + text.slice(end);
}
