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

/** A name such as `tasks.train.outputs.loss`: its parts, and where each is written. */
export interface ConditionName {
  readonly parts: readonly string[];
  readonly places: readonly { readonly start: number; readonly end: number }[];
}

const TOKEN = new RegExp(
  [
    String.raw`(?<space>\s+|//[^\n]*)`,
    String.raw`(?<string>[bBrR]{0,2}(?:"""[\s\S]*?"""|'''[\s\S]*?'''|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'))`,
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

/** The condition with parts of its names replaced; `rename` gives the new part `number`, or null to leave the name. */
export function mapNames(text: string, number: number, rename: (parts: readonly string[]) => string | null): string {
  let result = '';
  let end = 0;
  for (const { parts, places } of namesIn(text)) {
    const place = places[number];
    const renamed = rename(parts);
    if (!place || renamed === null) continue;
    result += text.slice(end, place.start) + renamed;
    end = place.end;
  }
  return result + text.slice(end);
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
  const { space, string, name } = match?.groups ?? {};
  const type = string !== undefined ? 'string' : name !== undefined ? 'name' : 'sign';
  return { type, text: space === undefined ? written : '', start, end: start + written.length };
}

/** Follows `.name` and `["name"]`; a call ends the name before it. */
function nameAt(tokens: readonly Token[], first: number): ConditionName[] {
  const steps = [step(tokens[first])];
  let next = first + 1;
  for (;;) {
    const dotted = tokens[next]?.text === '.' && tokens[next + 1]?.type === 'name';
    const indexed = tokens[next]?.text === '[' && tokens[next + 1]?.type === 'string' && tokens[next + 2]?.text === ']';
    const length = dotted ? 2 : indexed ? 3 : 0;
    if (length === 0 || tokens[next + length]?.text === '(') break;
    steps.push(step(tokens[next + 1]));
    next += length;
  }
  const parts = steps.map(({ name }) => name);
  const wanted = parts[0] === 'tasks' ? 4 : 2;
  if (parts.length < wanted || (wanted === 4 && parts[2] !== 'outputs')) return [];
  return [{ parts: parts.slice(0, wanted), places: steps.slice(0, wanted) }];
}

function step(token?: Token): { name: string; start: number; end: number } {
  const { type, text, start, end } = token ?? { type: 'sign', text: '', start: 0, end: 0 };
  if (type !== 'string') return { name: text, start, end };
  const quoted = /^([bBrR]*)("""|'''|"|')([\s\S]*)\2$/.exec(text);
  const inside = start + (quoted?.[1] ?? '').length + (quoted?.[2] ?? '').length;
  const name = quoted?.[3] ?? '';
  return { name, start: inside, end: inside + name.length };
}
