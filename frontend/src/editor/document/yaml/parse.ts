import { isAlias, isMap, isScalar, isSeq, parseDocument, visit, type Document, type Scalar, type YAMLMap, type YAMLSeq } from 'yaml';
import type { Problem } from '../../types';
import { farTooDeep } from './depth';
import { lineAt, lineStarts } from './lines';
import { NoNumber, resolveScalar } from './scalar';
import { sentenceOf, type Fault } from './sentences';
import type { Entry, Node, ScalarNode, Style } from './node';

/*
 * A whole text -> its values, and every reason why it cannot be read: those that the server gives, at the same lines.
 * Numbers and words are resolved here, as the library's own schema knows no limits.
 */

const MAX_BYTES = 2 * 1024 * 1024;
const MAX_DEPTH = 64;
export const MAX_NODES = 200_000;

// What YAML does not allow, and marks that turn the direction of writing: the same as on the server.
export const BAD_CHARACTER =
  /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]/u;

export interface Parsed {
  /** Null when nothing can be drawn. */
  readonly root: Node | null;
  readonly problems: readonly Problem[];
  /** How many values it has, and how many levels. */
  readonly nodes: number;
  readonly depth: number;
}

/** May a text be read in pieces, as far as its length and its characters go? */
export function isReadable(text: string): boolean {
  return !isTooLong(text) && !BAD_CHARACTER.test(text);
}

function isTooLong(text: string): boolean {
  return text.length * 3 > MAX_BYTES && new TextEncoder().encode(text).length > MAX_BYTES;
}

/** Never throws. A byte order mark is no part of `text`. */
export function parseYaml(text: string): Parsed {
  const reader = new Reader(text);
  const root = reader.read();
  return { root, problems: reader.sorted(), nodes: reader.nodes, depth: reader.depth };
}

/** The rest cannot be read; the problem has been noted. */
class Stop extends Error {}

class Reader {
  nodes = 0;
  depth = 0;
  private readonly problems: Problem[] = [];
  private starts: number[] | null = null;

  constructor(private readonly text: string) {}

  read(): Node | null {
    try {
      this.refuseText();
      return this.document();
    } catch (error) {
      if (error instanceof RangeError) this.tooDeep(0);
      else if (!(error instanceof Stop)) throw error;
      return null;
    }
  }

  sorted(): Problem[] {
    return this.problems.sort((one, other) => one.line - other.line || one.column - other.column);
  }

  private note(code: string, place: number, message: string, params: Problem['params'] = {}): void {
    this.starts ??= lineStarts(this.text);
    const line = lineAt(this.starts, place);
    const column = place - (this.starts[line - 1] ?? 0) + 1;
    this.problems.push({ severity: 'error', code, path: '', line, column, message, params });
  }

  private stop(code: string, place: number, message: string, params: Problem['params'] = {}): never {
    this.note(code, place, message, params);
    throw new Stop();
  }

  private tooDeep(place: number): void {
    this.note('too-deep', place, `More than ${MAX_DEPTH} levels inside each other: make it flatter.`, { limit: MAX_DEPTH });
  }

  private refuseText(): void {
    if (isTooLong(this.text)) {
      const message = 'The document is larger than 2 MB. Move long code into the code location, and data into files.';
      this.stop('document-too-large', 0, message, { limit: MAX_BYTES });
    }
    const deep = farTooDeep(this.text);
    if (deep !== null) {
      this.tooDeep(deep);
      throw new Stop();
    }
    const bad = BAD_CHARACTER.exec(this.text);
    if (!bad) return;
    const character = `U+${(bad[0].codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
    this.stop('bad-character', bad.index, `The character ${character} cannot stand in a document: remove it.`, { character });
  }

  private document(): Node | null {
    const document = parseDocument(this.text, { schema: 'failsafe', prettyErrors: false, uniqueKeys: false });
    this.refuseDirectives(document);
    this.refuseSyntax(document);
    const { contents } = document;
    const empty = contents === null || (isScalar(contents) && contents.type === 'PLAIN' && contents.value === '');
    if (empty) {
      const message = 'The document is empty: begin with `schema: orchestrator/v1`, a name and tasks.';
      this.stop('empty-document', 0, message);
    }
    return this.node(contents, 1, 0);
  }

  private refuseDirectives({ directives }: Document): void {
    if (directives?.yaml.explicit && directives.yaml.version !== '1.2') {
      this.note('yaml-version', Math.max(this.text.search(/^%YAML/m), 0), 'The document says it is not YAML 1.2: remove the %YAML line.');
    }
    const tag = this.text.search(/^%TAG/m);
    if (tag >= 0 && Object.keys(directives?.tags ?? {}).length > 1) this.note('tag', tag, 'A %TAG line has no use here: remove it.');
  }

  private refuseSyntax(document: Document): void {
    const faults: Fault[] = [...document.errors];
    const [first] = faults.sort((one, other) => one.pos[0] - other.pos[0]);
    if (!first) return;
    if (first.code === 'MULTIPLE_DOCS') {
      const message = 'A second document begins here: keep one pipeline in one document, without `---`.';
      this.stop('several-documents', first.pos[0], message);
    }
    const place = Math.min(placeOf(first, document), this.text.trimEnd().length);
    this.stop('yaml-syntax', place, sentenceOf(first), { said: first.message });
  }

  /** `place` is where a value that is not written would stand. */
  private node(value: unknown, depth: number, place: number): Node {
    this.count(place);
    if (isScalar(value)) return this.scalar(value as Scalar<string>, place);
    if (isAlias(value)) return this.alias(value.source, value.range?.[0] ?? place, value.range?.[1] ?? place);
    if (!isMap(value) && !isSeq(value)) return { type: 'scalar', style: 'plain', start: place, end: place, value: null };
    const start = value.range?.[0] ?? place;
    this.refuseProperties(value, start);
    if (depth > MAX_DEPTH) {
      this.tooDeep(start);
      throw new Stop();
    }
    this.depth = Math.max(this.depth, depth);
    return isMap(value) ? this.map(value, depth, start) : this.list(value, depth, start);
  }

  private count(place: number): void {
    this.nodes += 1;
    if (this.nodes <= MAX_NODES) return;
    const message = `The document has more than ${MAX_NODES.toLocaleString('en')} values: split it into several pipelines.`;
    this.stop('too-many-nodes', place, message, { limit: MAX_NODES });
  }

  private map(map: YAMLMap, depth: number, start: number): Node {
    const flow = map.flow ?? false;
    const entries = new Map<string, Entry>();
    let end = start;
    for (const pair of map.items) {
      const entry = this.entry(pair.key, pair.value, depth);
      end = entry.value.end;
      if (!this.isTwice(entry, entries)) entries.set(entry.name, entry);
    }
    return { type: 'map', flow, start, end: flow ? (map.range?.[1] ?? end) : end, entries };
  }

  private entry(key: unknown, value: unknown, depth: number): Entry {
    this.count(0);
    if (!isScalar(key)) {
      const place = (key as { range?: [number] } | null)?.range?.[0] ?? 0;
      this.stop('key-not-text', place, 'A key must be plain text: a list, a mapping or an alias cannot be one.');
    }
    const [keyStart, keyEnd] = key.range ?? [0, 0];
    this.refuseProperties(key, keyStart);
    const name = String(key.value);
    if (name === '') this.note('empty-key', keyStart, "A key is missing before this ':'.");
    return { name, keyStart, keyEnd, value: this.node(value, depth + 1, this.behindColon(keyEnd)), at: 0 };
  }

  private isTwice({ name, keyStart }: Entry, entries: ReadonlyMap<string, Entry>): boolean {
    const first = entries.get(name);
    if (!first) return false;
    this.starts ??= lineStarts(this.text);
    const firstLine = lineAt(this.starts, first.keyStart);
    const message = `The key '${name}' stands here a second time (first in line ${firstLine}): keep one.`;
    this.note('duplicate-key', keyStart, message, { name, first_line: firstLine });
    return true;
  }

  /** The place behind the colon of a key; behind the key where there is none. */
  private behindColon(keyEnd: number): number {
    let place = keyEnd;
    while (this.text[place] === ' ') place += 1;
    return this.text[place] === ':' ? place + 1 : keyEnd;
  }

  private list(list: YAMLSeq, depth: number, start: number): Node {
    const flow = list.flow ?? false;
    const items = list.items.map((item) => this.node(item, depth + 1, (item as { range?: [number] } | null)?.range?.[0] ?? start));
    const end = flow ? (list.range?.[1] ?? start) : (items.at(-1)?.end ?? start);
    return { type: 'list', flow, start, end, items };
  }

  private scalar(scalar: Scalar<string>, place: number): ScalarNode {
    const style = STYLES[scalar.type ?? 'PLAIN'] ?? 'plain';
    const empty = style === 'plain' && scalar.value === '';
    const [start, end] = empty ? [place, place] : (scalar.range ?? [place, place]);
    this.refuseProperties(scalar, start);
    return { type: 'scalar', style, start, end: this.lastCharacter(start, end, style), value: this.meaning(scalar, style, start) };
  }

  /** A block scalar ends with its last line; the empty lines behind it belong to it only where it keeps them (`|+`). */
  private lastCharacter(start: number, end: number, style: Style): number {
    if (style !== 'literal' && style !== 'folded') return end;
    const text = this.text.slice(start, end);
    const keeps = /^[|>][0-9]?\+/.test(text);
    return start + (keeps ? text.replace(/\r?\n$/, '') : text.trimEnd()).length;
  }

  private meaning({ value }: Scalar<string>, style: Style, start: number): ScalarNode['value'] {
    if (style !== 'plain' && value.includes('\0')) {
      this.note('bad-character', start, 'The character "\\0" cannot stand in a text: remove it.', { character: 'U+0000' });
    }
    if (style !== 'plain') return value.replaceAll('\0', '');
    const meant = resolveScalar(value);
    if (!(meant instanceof NoNumber)) return meant;
    this.note(meant.code, start, meant.message);
    return 0;
  }

  private alias(name: string, start: number, end: number): ScalarNode {
    const message = `The alias '*${name}' is not allowed: write the value out; \`defaults\` holds what tasks share.`;
    this.note('alias', start, message, { name });
    return { type: 'scalar', style: 'plain', start, end, value: null };
  }

  private refuseProperties({ anchor, tag }: { anchor?: string; tag?: string }, start: number): void {
    if (anchor !== undefined) {
      this.note('anchor', start, `The anchor '&${anchor}' is not allowed: write the value out where it is used.`, { name: anchor });
    }
    if (tag === undefined) return;
    const name = tag.replace('tag:yaml.org,2002:', '!!');
    const message = `The tag '${name}' is not allowed: remove it; quotes make a text, their absence a number.`;
    this.note('tag', start, message, { tag: name });
  }
}

/** Where a person looks for the fault: a quote that is not closed is told where it was opened. */
function placeOf({ code, message, pos: [place] }: Fault, document: Document): number {
  if (code !== 'MISSING_CHAR' || !message.includes('quote')) return place;
  let opened = place;
  visit(document, {
    Scalar: (_, { type, range }) => {
      if (type?.startsWith('QUOTE') && range && range[0] <= place) opened = range[0];
    },
  });
  return opened;
}

const STYLES: Readonly<Record<string, Style>> = {
  PLAIN: 'plain',
  QUOTE_SINGLE: 'single',
  QUOTE_DOUBLE: 'double',
  BLOCK_LITERAL: 'literal',
  BLOCK_FOLDED: 'folded',
};
