import type { Json } from '../../types';
import { BAD_CHARACTER } from './parse';
import { resolveScalar } from './scalar';
import type { Style } from './node';

/* Values -> YAML as a person would write it: quotes only where they are needed, long texts as `|` blocks. */

/** `inline` stands behind the colon, `body` on the lines below, indented already. One of them may be empty. */
export interface Rendered {
  readonly inline: string;
  readonly body: readonly string[];
}

export interface Manner {
  /** Spaces of one level. */
  readonly unit: number;
  /** Write mappings within brackets, or on lines of their own; null: whatever suits the name. */
  readonly flow?: boolean | null;
  /** How the text was written before. */
  readonly style?: Style;
  /** Column of the text of a block scalar, where it was written before. */
  readonly blockColumn?: number;
}

const WIDTH = 100;
/** What grows, and is easier to read with a line for each entry. */
const TALL: ReadonlySet<string> = new Set(['with', 'outputs', 'tasks', 'parameters', 'triggers', 'checks']);
/** Words and numbers of other versions of YAML. */
const ELSEWHERE = /^(?:y|n|yes|no|on|off|<<|=|[-+]?0[xobXOB].*|[-+.]?[0-9][0-9_:.,eE+-]*)$/i;
const INDICATOR = /^[-?:,[\]{}#&*!|>'"%@`\s]/;
const SAFE_DASH = /^[-?:][^\s,[\]{}]/;

/** The value of the key `name`, which begins in `column`. */
export function render(value: Json, name: string, column: number, manner: Manner): Rendered {
  if (typeof value === 'string') return renderText(value, column, manner);
  if (value === null || typeof value !== 'object') return { inline: renderScalar(value, false), body: [] };
  if (Object.keys(value).length === 0 || !isTall(value, name, column, manner)) return { inline: renderFlow(value), body: [] };
  return { inline: '', body: renderBlock(value, column + manner.unit, { unit: manner.unit, flow: mannerBelow(name) }) };
}

/** Is the value of this key written on lines of its own, whatever stands beside it? */
export function isTallName(name: string): boolean {
  return TALL.has(name);
}

/** Tasks have lines of their own. */
export function mannerBelow(name: string | undefined): boolean | null {
  return name === 'tasks' ? false : null;
}

function isTall(value: Json[] | Record<string, Json>, name: string, column: number, { flow = null }: Manner): boolean {
  const inside = Object.values(value);
  if (holdsLines(value)) return true;
  const long = column + name.length + 2 + renderFlow(value).length > WIDTH;
  if (Array.isArray(value) || TALL.has(name)) return TALL.has(name) || long;
  if (flow !== null) return !flow || long;
  return long || inside.some((item) => typeof item === 'object' && item !== null);
}

function holdsLines(value: Json): boolean {
  if (typeof value === 'string') return value.includes('\n');
  return typeof value === 'object' && value !== null && Object.values(value).some(holdsLines);
}

/** The lines of a mapping or list whose keys or dashes begin in `column`. */
export function renderBlock(value: Json[] | Record<string, Json>, column: number, manner: Manner): string[] {
  const indent = ' '.repeat(column);
  if (Array.isArray(value)) return value.map((item) => `${indent}- ${renderFlow(item)}`);
  return Object.entries(value).flatMap(([name, inner]) => renderEntry(name, inner, column, manner));
}

/** The lines of one key with its value. */
export function renderEntry(name: string, value: Json, column: number, manner: Manner): string[] {
  const { inline, body } = render(value, name, column, manner);
  return [`${' '.repeat(column)}${renderKey(name)}:${inline === '' ? '' : ` ${inline}`}`, ...body];
}

/** A key is text whatever it looks like, so words such as `on` need no quotes. */
export function renderKey(name: string): string {
  return /^[A-Za-z_][A-Za-z0-9_-]*$/.test(name) ? name : renderScalar(name, true);
}

/** On one line, as it may stand within brackets. */
export function renderFlow(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(renderFlow).join(', ')}]`;
  if (value === null || typeof value !== 'object') return renderScalar(value, true);
  const entries = Object.entries(value).map(([name, inner]) => `${renderKey(name)}: ${renderFlow(inner)}`);
  return `{${entries.join(', ')}}`;
}

/** `flow`: it may stand within brackets. */
export function renderScalar(value: null | boolean | number | string, flow: boolean, style: Style = 'plain'): string {
  if (typeof value !== 'string') return String(value);
  if (style === 'single' && isPrintable(value)) return inSingleQuotes(value);
  if (style !== 'double' && isPlain(value, flow)) return value;
  const awkward = /["\\]/.test(value) && isPrintable(value);
  return awkward && style !== 'double' ? inSingleQuotes(value) : inDoubleQuotes(value);
}

function isPlain(text: string, flow: boolean): boolean {
  if (resolveScalar(text) !== text || ELSEWHERE.test(text) || !isPrintable(text)) return false;
  if (INDICATOR.test(text) && !SAFE_DASH.test(text)) return false;
  if (text.includes('${{') || /: |:$|\s#|\s$/.test(text) || /^(?:---|\.\.\.)/.test(text)) return false;
  return !flow || !/[,[\]{}]|:[,[\]{}]|^:/.test(text);
}

/** Can stand in a document as it is, on one line. */
function isPrintable(text: string): boolean {
  return !/[\t\r\n]/.test(text) && !BAD_CHARACTER.test(text);
}

function inSingleQuotes(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

const UNSAFE = new RegExp(BAD_CHARACTER.source, 'gu');

function inDoubleQuotes(text: string): string {
  return JSON.stringify(text).replace(UNSAFE, (character) => {
    return `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`;
  });
}

function renderText(text: string, column: number, { unit, style, blockColumn }: Manner): Rendered {
  const asBlock = style === 'literal' || text.includes('\n');
  if (!asBlock || !canBeBlock(text)) return { inline: renderScalar(text, false, style), body: [] };
  const inside = blockColumn !== undefined && blockColumn > column ? blockColumn : column + unit;
  const chomp = /\n\n$|^\n$/.test(text) ? '+' : text.endsWith('\n') ? '' : '-';
  const lines = (chomp === '-' ? text : text.slice(0, -1)).split('\n');
  // A first line that begins with spaces would be taken for the indentation.
  const hint = /^\s/.test(lines.find((line) => line !== '') ?? '') ? String(inside - column) : '';
  const body = lines.map((line) => (line === '' ? '' : ' '.repeat(inside) + line));
  return { inline: `|${hint}${chomp}`, body };
}

/** Not where only escapes say what is meant. */
function canBeBlock(text: string): boolean {
  return /\S/.test(text) && !/\r|^[ \t]+$/m.test(text) && !BAD_CHARACTER.test(text);
}
