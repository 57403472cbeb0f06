import { lineEnd, nextLine } from '../yaml/lines';
import { entriesOf, type Located, type Node } from '../yaml/node';
import { endOfEntry, leadOf, placesOf } from './geometry';

/* Comments of a piece of text that is about to go. */

interface Span {
  readonly start: number;
  readonly end: number;
}

/** The comments above an entry, on its lines and on those of its keys, each with its `#`; not those inside of `but`. */
export function commentsOf(text: string, entry: Located, but: Located): string[] {
  const places = placesOf(text, entry);
  const first = entriesOf(but)[0];
  const inner = entriesOf(but).at(-1);
  const inside = first && inner ? { start: nextLine(text, placesOf(text, but).colonEnd), end: endOfEntry(text, placesOf(text, inner)) } : null;
  const values = scalarsIn(entry);
  const comments: string[] = [];
  for (const { index } of text.slice(0, endOfEntry(text, places)).matchAll(/(?<=^|\s)#/gm)) {
    const isOwn = index >= leadOf(text, places) && !isIn(index, inside) && !values.some((value) => isIn(index, value));
    if (isOwn) comments.push(text.slice(index, lineEnd(text, index)).trimEnd());
  }
  return comments;
}

function isIn(place: number, span: Span | null): boolean {
  return span !== null && place >= span.start && place < span.end;
}

/** Where texts stand, in which a `#` is no comment. */
function scalarsIn({ node, offset, entry }: Located): Span[] {
  const key = entry ? [{ start: offset + entry.keyStart, end: offset + entry.keyEnd }] : [];
  if (node.type === 'scalar') return [...key, { start: offset + node.start, end: offset + node.end }];
  if (node.type === 'map') return [...key, ...entriesOf({ node, offset, entry }).flatMap(scalarsIn)];
  return [...key, ...node.items.flatMap((item: Node) => scalarsIn({ node: item, offset, entry: null }))];
}
