import type { Parsed } from './parse';
import { resolveScalar } from './scalar';
import type { Entry, Node, ScalarNode } from './node';

/*
 * The plain way in which nearly all tasks are written, read without the YAML library, which takes some twenty times as
 * long: mappings in blocks, one value to a line, values of one line. Whatever else a text holds, such as a comment, a list
 * in a block or a text of several lines, it is left to the library: what is read is always the same.
 */

const LINE = /( *)([A-Za-z0-9_][A-Za-z0-9_-]*):(?: +(.*))?/y;
/** ASCII without `#`, which may begin a comment. */
const PLAIN = /^-?[A-Za-z0-9_./$][!-"$-~ ]*$/;
/** Where a plain value would end before the line does. */
const CUT_SHORT = /:(?: |$)| $/;
const QUOTED = /"[^"\\\n]*"|'[^'\n]*'/y;
const IN_FLOW = /-?[A-Za-z0-9_./$](?:[A-Za-z0-9_./$-]| +(?=[A-Za-z0-9_./$-]))*/y;
const FLOW_KEY = /([A-Za-z0-9_][A-Za-z0-9_-]*): +/y;
const GAP = / */y;
/** A longer key would have to be marked by `?`. */
const LONGEST_KEY = 1000;
const DEEPEST = 30;

/** The values of one piece of a text, as `parseYaml` gives them; null when it holds anything unusual. */
export function parseQuickly(text: string): Parsed | null {
  const reader = new QuickReader(text);
  const root = reader.read();
  return root && { root, problems: [], nodes: reader.nodes, depth: reader.depth };
}

interface Line {
  readonly indent: number;
  readonly name: string;
  readonly at: number;
  /** Of the value; the end of the line where there is none. */
  readonly valueAt: number;
  readonly end: number;
}

class QuickReader {
  nodes = 0;
  depth = 0;
  private place = 0;

  constructor(private readonly text: string) {}

  read(): Node | null {
    const first = this.line();
    const root = first && this.block(first.indent, 1);
    return root !== null && this.place === this.text.length ? root : null;
  }

  /** The line at the present place, behind empty ones; null when there is none or it holds no key. */
  private line(): Line | null {
    while (this.text[this.place] === '\n') this.place += 1;
    const found = matchAt(LINE, this.text, this.place);
    if (!found) return null;
    const [whole, spaces = '', name = '', value = ''] = found;
    const end = this.place + whole.length;
    if (name.length > LONGEST_KEY || (end < this.text.length && this.text[end] !== '\n')) return null;
    return { indent: spaces.length, name, at: this.place + spaces.length, valueAt: end - value.length, end };
  }

  private block(indent: number, depth: number): Node | null {
    const entries = new Map<string, Entry>();
    this.enter(depth);
    for (let line = this.line(); line !== null && line.indent === indent; line = this.line()) {
      if (entries.has(line.name) || depth > DEEPEST) return null;
      const entry = this.entry(line, depth);
      if (entry === null) return null;
      entries.set(line.name, entry);
    }
    const [first] = entries.values();
    const last = [...entries.values()].at(-1);
    return first && last ? { type: 'map', flow: false, start: first.keyStart, end: last.value.end, entries } : null;
  }

  private entry({ indent, name, at, valueAt, end }: Line, depth: number): Entry | null {
    this.nodes += 1;
    this.place = end;
    const value = valueAt < end ? this.value(valueAt, end, depth + 1) : this.below(indent, at + name.length + 1, depth + 1);
    return value && { name, keyStart: at, keyEnd: at + name.length, value, at: 0 };
  }

  /** What stands in deeper lines, or nothing. */
  private below(indent: number, place: number, depth: number): Node | null {
    const next = this.line();
    if (next !== null && next.indent > indent) return this.block(next.indent, depth);
    return this.scalar('plain', place, place, null);
  }

  private value(start: number, end: number, depth: number): Node | null {
    const first = this.text[start];
    if (first === '{' || first === '[' || first === '"' || first === "'") {
      this.place = start;
      const value = this.inFlow(depth);
      return this.place === end ? value : null;
    }
    const text = this.text.slice(start, end);
    return PLAIN.test(text) && !CUT_SHORT.test(text) ? this.plain(text, start) : null;
  }

  // --- values within a line

  private inFlow(depth: number): Node | null {
    const start = this.place;
    const first = this.text[start];
    if (depth > DEEPEST) return null;
    if (first === '{') return this.flowMap(start, depth);
    if (first === '[') return this.flowList(start, depth);
    const quoted = this.take(QUOTED);
    if (quoted) return this.scalar(first === '"' ? 'double' : 'single', start, this.place, quoted[0].slice(1, -1));
    const plain = this.take(IN_FLOW);
    return plain && this.plain(plain[0], start);
  }

  private flowMap(start: number, depth: number): Node | null {
    const entries = new Map<string, Entry>();
    this.enter(depth);
    const whole = this.items('}', () => {
      const keyStart = this.place;
      const name = this.take(FLOW_KEY)?.[1];
      if (name === undefined || name.length > LONGEST_KEY || entries.has(name)) return false;
      this.nodes += 1;
      const value = this.inFlow(depth + 1);
      if (value) entries.set(name, { name, keyStart, keyEnd: keyStart + name.length, value, at: 0 });
      return value !== null;
    });
    return whole ? { type: 'map', flow: true, start, end: this.place, entries } : null;
  }

  private flowList(start: number, depth: number): Node | null {
    const items: Node[] = [];
    this.enter(depth);
    const whole = this.items(']', () => {
      const item = this.inFlow(depth + 1);
      if (item) items.push(item);
      return item !== null;
    });
    return whole ? { type: 'list', flow: true, start, end: this.place, items } : null;
  }

  /** Items with commas between them, up to and with the closing bracket. */
  private items(close: string, item: () => boolean): boolean {
    this.place += 1;
    this.take(GAP);
    if (this.text[this.place] === close) return this.place++ >= 0;
    for (;;) {
      if (!item()) return false;
      this.take(GAP);
      const next = this.text[this.place];
      this.place += 1;
      if (next === close) return true;
      if (next !== ',' || this.text[this.place] !== ' ') return false;
      this.take(GAP);
    }
  }

  // --- scalars

  private plain(text: string, start: number): ScalarNode | null {
    const value = resolveScalar(text);
    return typeof value === 'object' && value !== null ? null : this.scalar('plain', start, start + text.length, value);
  }

  private scalar(style: ScalarNode['style'], start: number, end: number, value: ScalarNode['value']): ScalarNode {
    this.nodes += 1;
    return { type: 'scalar', style, start, end, value };
  }

  private enter(depth: number): void {
    this.nodes += 1;
    this.depth = Math.max(this.depth, depth);
  }

  private take(pattern: RegExp): RegExpExecArray | null {
    const found = matchAt(pattern, this.text, this.place);
    if (found) this.place += found[0].length;
    return found;
  }
}

function matchAt(pattern: RegExp, text: string, place: number): RegExpExecArray | null {
  pattern.lastIndex = place;
  return pattern.exec(text);
}
