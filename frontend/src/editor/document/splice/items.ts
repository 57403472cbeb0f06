import type { Json } from '../../types';
import { lineStart, nextLine } from '../yaml/lines';
import type { ListNode, Located, Node } from '../yaml/node';
import { renderFlow } from '../yaml/render';
import { withCuts } from './cut';
import { isBlankLine, Unsuited } from './geometry';
import { insertBetween, isFirstOnLine, linesCut, type Span } from './insert';
import { removeBetween, tidyCut } from './remove';

/* Items of lists: `[a, b]` and lines that begin with a dash. */

/** A text with a new item before the item `number` of a list, or as the last one. The list has at least one. */
export function insertItem(text: string, list: Located, number: number, value: Json): string {
  const { flow, items } = listOf(list);
  const written = renderFlow(value);
  if (flow) return insertBetween(text, items.map((item) => spanOf(item, list.offset)), number, written);
  const dashes = dashesOf(text, list);
  const first = dashes[0] ?? 0;
  const line = `${' '.repeat(first - lineStart(text, first))}- ${written}`;
  const next = dashes[number];
  if (next !== undefined && !isFirstOnLine(text, next)) throw new Unsuited('The list begins behind a dash.');
  const place = next === undefined ? endOfItem(text, list, items.length - 1) : lineStart(text, next);
  return withCuts(text, [linesCut(text, [line], place)]);
}

/** A text without the item `number` of a list, which keeps at least one. */
export function removeItem(text: string, list: Located, number: number): string {
  const { flow, items } = listOf(list);
  if (flow) {
    return removeBetween(text, items.map((item) => spanOf(item, list.offset)), items.map((_, other) => other === number));
  }
  const dash = dashesOf(text, list)[number] ?? 0;
  if (!isFirstOnLine(text, dash)) throw new Unsuited('The list begins behind a dash.');
  return withCuts(text, [tidyCut(text, lineStart(text, dash), endOfItem(text, list, number))]);
}

/** A text with another item `number`. */
export function replaceItem(text: string, list: Located, number: number, written: string): string {
  const { items } = listOf(list);
  const item = items[number];
  if (!item) throw new Unsuited('There is no such item.');
  const { start, end } = spanOf(item, list.offset);
  return withCuts(text, [{ start, end, text: end === start ? ` ${written}` : written }]);
}

function listOf({ node }: Located): ListNode {
  if (node.type !== 'list' || node.items.length === 0) throw new Unsuited('It is no list with items.');
  return node;
}

function spanOf({ start, end }: Node, offset: number): Span {
  return { start: offset + start, end: offset + end };
}

/** Where the dash of each item stands. */
function dashesOf(text: string, list: Located): number[] {
  const { items } = listOf(list);
  let from = list.offset + list.node.start;
  return items.map((item) => {
    const dash = dashBetween(text, from, list.offset + item.start);
    from = Math.max(list.offset + item.end, dash + 1);
    return dash;
  });
}

function dashBetween(text: string, from: number, to: number): number {
  for (let start = from; start <= to; start = nextLine(text, start)) {
    const match = /^\s*-(?=\s|$)/.exec(text.slice(start, Math.max(to, start + 1)) + ' ');
    if (match) return start + match[0].length - 1;
    if (nextLine(text, start) === text.length) break;
  }
  throw new Unsuited('The dash of an item was not found.');
}

/** The beginning of the line behind an item; comments below it stay. */
function endOfItem(text: string, list: Located, number: number): number {
  const { items } = listOf(list);
  const item = items[number];
  let end = nextLine(text, list.offset + (item?.end ?? 0));
  const next = number + 1 < items.length ? lineStart(text, dashesOf(text, list)[number + 1] ?? end) : end;
  while (end < next && isBlankLine(text, end)) end = nextLine(text, end);
  return end;
}
