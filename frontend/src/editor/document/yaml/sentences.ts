import type { ErrorCode } from 'yaml';

/* What a person reads about a text that is no YAML: what is wrong, and how to go on. */

const SENTENCES: Partial<Record<ErrorCode, string>> = {
  BAD_DQ_ESCAPE: "Unknown escape after '\\' in double quotes: use '\\\\' or single quotes.",
  BAD_INDENT: 'The indentation does not fit the lines above: keys of one mapping begin in the same column.',
  BAD_SCALAR_START: 'This character cannot begin a value: put the text in quotes.',
  BLOCK_AS_IMPLICIT_KEY: "A ': ' is not expected here: put the text in quotes, or begin a new line for the key.",
  BLOCK_IN_FLOW: 'A block of lines cannot stand inside brackets: write it with brackets too.',
  KEY_OVER_1024_CHARS: 'A key may have at most 1,024 characters.',
  MULTILINE_IMPLICIT_KEY: "A key without ':' after it: write `key: value`, or quote the text.",
  TAB_AS_INDENT: 'A tab stands in the indentation: indent with spaces.',
  UNEXPECTED_TOKEN: 'This is not expected behind a value: put the whole text in quotes, or begin a new line.',
};

/** What the library says of a text, its place first. */
export interface Fault {
  readonly code: ErrorCode;
  readonly message: string;
  readonly pos: readonly [number, number];
}

export function sentenceOf({ code, message }: Fault): string {
  if (code === 'MISSING_CHAR' || code === 'BAD_INDENT') return unclosed(message) ?? SENTENCES.BAD_INDENT ?? message;
  return SENTENCES[code] ?? `The text is not valid YAML: ${message}.`;
}

/** The library says with its message what is missing. */
function unclosed(message: string): string | null {
  if (message.includes('quote')) return 'A quote that was opened is not closed: add the missing quotation mark.';
  if (/\}|map/i.test(message) && message.startsWith('Flow')) return "A '{' is not closed, or a ',' is missing in it.";
  if (message.startsWith('Flow') || message.includes(']')) return "A '[' is not closed, or a ',' is missing in it.";
  if (message.includes(',')) return "A ',' is missing between two values in brackets.";
  if (message.includes('map values')) return "A key without ':' after it: write `key: value`, or quote the text.";
  return null;
}
