import { docOf, EMPTY_LAYOUT } from '../../store';
import type { Doc, Edit, Layout } from '../../types';

/* Before and after, for tests that a person can read. */

export function doc(text: string, layout: Layout = EMPTY_LAYOUT): Doc {
  return docOf(text, layout);
}

/** The text after an operation. */
export function after(text: string, operation: (doc: Doc) => Edit): string {
  return operation(doc(text)).text ?? text;
}

/** What an operation changes: lines that go with `-`, lines that come with `+`. */
export function changes(text: string, operation: (doc: Doc) => Edit): string {
  const [old, now] = [text.split('\n'), after(text, operation).split('\n')];
  let from = 0;
  while (from < old.length && old[from] === now[from]) from += 1;
  let same = 0;
  while (same < Math.min(old.length, now.length) - from && old.at(-1 - same) === now.at(-1 - same)) same += 1;
  const gone = old.slice(from, old.length - same).map((line) => `-${line}`);
  return [...gone, ...now.slice(from, now.length - same).map((line) => `+${line}`)].join('\n');
}

/** A text written with the indentation of the test around it. */
export function yaml([text = '']: TemplateStringsArray): string {
  const lines = text.replace(/^\n/, '').replace(/\n *$/, '\n').split('\n');
  const indent = Math.min(...lines.filter((line) => line.trim() !== '').map((line) => line.search(/\S/)));
  return lines.map((line) => line.slice(indent)).join('\n');
}
