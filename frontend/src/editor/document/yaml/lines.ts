/* Lines of a text, both \n and \r\n ending one. */

/** Where each line begins. */
export function lineStarts(text: string): number[] {
  const starts = [0];
  for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', end + 1)) starts.push(end + 1);
  return starts;
}

/** The number of the line, from 1, that holds a place. */
export function lineAt(starts: readonly number[], place: number): number {
  let low = 0;
  let high = starts.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((starts[middle] ?? 0) <= place) low = middle;
    else high = middle;
  }
  return low + 1;
}

/** Where the line that holds a place begins. */
export function lineStart(text: string, place: number): number {
  return place === 0 ? 0 : text.lastIndexOf('\n', place - 1) + 1;
}

/** Where the line that holds a place ends, before its line break. */
export function lineEnd(text: string, place: number): number {
  const end = text.indexOf('\n', place);
  if (end < 0) return text.length;
  return end > place && text[end - 1] === '\r' ? end - 1 : end;
}

/** Where the next line begins; the end of the text on the last one. */
export function nextLine(text: string, place: number): number {
  const end = text.indexOf('\n', place);
  return end < 0 ? text.length : end + 1;
}

/** Spaces before the first character of the line that begins at a place. */
export function indentAt(text: string, start: number): number {
  let end = start;
  while (text[end] === ' ') end += 1;
  return end - start;
}

/** The line break that a text uses. */
export function lineBreak(text: string): '\n' | '\r\n' {
  const end = text.indexOf('\n');
  return end > 0 && text[end - 1] === '\r' ? '\r\n' : '\n';
}
