import { lineEnd, lineStart, nextLine } from '../yaml/lines';
import { entriesOf, type Located } from '../yaml/node';
import { withCuts, type Cut } from './cut';
import { endOfEntry, isBlankLine, isCommentLine, isCompact, leadOf, placesOf, Unsuited } from './geometry';
import { isFirstOnLine, type Span } from './insert';

/* Keys and items that go, with the comments that belong to them. */

/** A text without some keys of a mapping, which keeps at least one. */
export function removeEntries(text: string, map: Located, names: ReadonlySet<string>): string {
  if (map.node.type !== 'map') throw new Unsuited('It is no mapping.');
  const entries = entriesOf(map);
  const gone = entries.map(({ entry }) => names.has(entry?.name ?? ''));
  if (map.node.flow) {
    const spans = entries.map((entry) => {
      const { keyStart, colonEnd, valueEnd } = placesOf(text, entry);
      return { start: keyStart, end: Math.max(colonEnd, valueEnd) };
    });
    return removeBetween(text, spans, gone);
  }
  return withCuts(text, entries.flatMap((entry, number) => (gone[number] ? [linesOf(text, entry, number === 0, entries[number + 1])] : [])));
}

/** The lines of a key, its comments and one of two empty lines around it. */
function linesOf(text: string, entry: Located, isFirst: boolean, next?: Located): Cut {
  const places = placesOf(text, entry);
  if (isCompact(text, places)) return compactCut(text, places.keyStart, next);
  const start = leadOf(text, places);
  return tidyCut(text, start, endOfEntry(text, places), isFirst && start > 0 && !isCommentLine(text, lineStart(text, start - 1)));
}

/** Of two empty lines around what goes, one goes too; so does one behind the first of its mapping. */
export function tidyCut(text: string, start: number, end: number, isFirst = false): Cut {
  const above = isFirst || start === 0 || isBlankLine(text, lineStart(text, start - 1));
  let last = end;
  while (above && last < text.length && isBlankLine(text, last)) last = nextLine(text, last);
  const atEnd = last === text.length && start > 0;
  // Without a line break at the end of the text before, none is left behind.
  const first = atEnd && !text.endsWith('\n') ? lineEnd(text, lineStart(text, start - 1)) : start;
  return { start: first, end: last, text: '' };
}

/** The first key behind a dash: the second one takes its place. */
function compactCut(text: string, start: number, next?: Located): Cut {
  if (!next) throw new Unsuited('It is the only key behind a dash.');
  const end = placesOf(text, next).keyStart;
  if (text.slice(start, end).includes('#')) throw new Unsuited('A comment stands between the keys behind a dash.');
  return { start, end, text: '' };
}

/** A text without some of the parts within brackets, of which at least one stays. */
export function removeBetween(text: string, spans: readonly Span[], gone: readonly boolean[]): string {
  const stays = gone.lastIndexOf(false);
  const cuts = spans.flatMap((span, number): Cut[] => {
    if (!gone[number]) return [];
    const own = ownLines(text, span);
    if (own) return [own];
    if (number < stays) return [{ start: span.start, end: spans[number + 1]?.start ?? span.end, text: '' }];
    return [{ start: spans[number - 1]?.end ?? span.start, end: span.end, text: '' }];
  });
  return withCuts(text, cuts);
}

/** The lines of a part that shares them with no other and with no bracket; null otherwise. */
function ownLines(text: string, { start, end }: Span): Cut | null {
  const behind = /^[ \t]*,?[ \t]*(?:#[^\n]*)?\r?\n/.exec(text.slice(end));
  if (!behind || !isFirstOnLine(text, start)) return null;
  return { start: lineStart(text, start), end: end + behind[0].length, text: '' };
}
