/*
 * Conditions (`when`) in CEL: the names they use, with their places. Only names are found here, so the text is cut into
 * tokens and not parsed: strings and comments are passed over, and what follows a `.` begins no name.
 */

interface Token {
  readonly type: 'name' | 'string' | 'sign';
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** A name such as `tasks.train.outputs.loss`, and where it is written. */
export interface ConditionName {
  readonly parts: readonly string[];
  readonly start: number;
  readonly end: number;
}

const TOKEN = new RegExp(
  [
    String.raw`(?<space>\s+|//[^\n]*)`,
    // In raw strings a backslash is nothing special.
    String.raw`(?<raw>[bB]?[rR][bB]?(?:"[^"\n]*"|'[^'\n]*'))`,
    String.raw`(?<string>[bB]?(?:"""[\s\S]*?"""|'''[\s\S]*?'''|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'))`,
    String.raw`(?<number>[0-9](?:[eE][-+]|[A-Za-z0-9_.])*)`,
    String.raw`(?<name>[A-Za-z_][A-Za-z0-9_]*)`,
    String.raw`(?<sign>[\s\S])`,
  ].join('|'),
  'gy',
);
/** Behind `tasks.` a name may hold a `-`, which elsewhere means minus. */
const TASK = /[A-Za-z0-9_-]+(?=\.outputs(?![A-Za-z0-9_]))/y;
const ROOTS = new Set(['params', 'tasks', 'inputs']);

/** The names of a condition, in order, also those written twice. */
export function namesIn(text: string): ConditionName[] {
  const tokens = tokensOf(text);
  return tokens.flatMap((token, number) => {
    const begins = token.type === 'name' && ROOTS.has(token.text) && tokens[number - 1]?.text !== '.';
    return begins ? nameAt(tokens, number) : [];
  });
}

/** The tasks whose outputs a condition uses, each with the output, once. */
export function outputsIn(text: string): { task: string; output: string }[] {
  const found = new Map<string, { task: string; output: string }>();
  for (const { parts } of namesIn(text)) {
    const [root, task = '', , output = ''] = parts;
    if (root === 'tasks') found.set(`${task}.${output}`, { task, output });
  }
  return [...found.values()];
}

/** The condition with other names in it; `rename` gives what is written for one, or null to leave it. */
export function mapNames(text: string, rename: (parts: readonly string[]) => string | null): string {
  let result = '';
  let last = 0;
  for (const { parts, start, end } of namesIn(text)) {
    const renamed = rename(parts);
    if (renamed === null) continue;
    result += text.slice(last, start) + renamed;
    last = end;
  }
  return result + text.slice(last);
}

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  for (let place = 0; place < text.length;) {
    const token = taskName(text, place, tokens) ?? nextToken(text, place);
    if (token.text !== '') tokens.push(token);
    place = token.end;
  }
  return tokens;
}

function taskName(text: string, start: number, before: readonly Token[]): Token | null {
  if (before.at(-1)?.text !== '.' || before.at(-2)?.text !== 'tasks' || before.at(-3)?.text === '.') return null;
  TASK.lastIndex = start;
  const name = TASK.exec(text)?.[0];
  return name === undefined ? null : { type: 'name', text: name, start, end: start + name.length };
}

/** Spaces and comments give a token without text. */
function nextToken(text: string, start: number): Token {
  TOKEN.lastIndex = start;
  const match = TOKEN.exec(text);
  const written = match?.[0] ?? text[start] ?? '';
  const { space, raw, string = raw, name } = match?.groups ?? {};
  const type = string !== undefined ? 'string' : name !== undefined ? 'name' : 'sign';
  return { type, text: space === undefined ? written : '', start, end: start + written.length };
}

/** Follows `.name` and `["name"]`; a call ends the name before it. */
function nameAt(tokens: readonly Token[], first: number): ConditionName[] {
  const parts = [tokens[first]?.text ?? ''];
  const wanted = parts[0] === 'tasks' ? 4 : 2;
  let last = first;
  while (parts.length < wanted) {
    const dotted = tokens[last + 1]?.text === '.' && tokens[last + 2]?.type === 'name';
    const indexed = tokens[last + 1]?.text === '[' && tokens[last + 2]?.type === 'string' && tokens[last + 3]?.text === ']';
    const length = dotted ? 2 : indexed ? 3 : 0;
    if (length === 0 || tokens[last + length + 1]?.text === '(') return [];
    parts.push(unquoted(tokens[last + 2]?.text ?? ''));
    last += length;
  }
  if (wanted === 4 && parts[2] !== 'outputs') return [];
  return [{ parts, start: tokens[first]?.start ?? 0, end: tokens[last]?.end ?? 0 }];
}

function unquoted(text: string): string {
  return /^[bBrR]*("""|'''|"|')([\s\S]*)\1$/.exec(text)?.[2] ?? text;
}
