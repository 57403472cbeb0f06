import Anser from 'anser';

export interface Piece {
  text: string;
  /** 0 to 7 as in a terminal: black red green yellow blue magenta cyan white; null is the page's own colour. */
  color: number | null;
  bold: boolean;
  dim: boolean;
  /** Part of a search hit. */
  hit: boolean;
}

const NAMED = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'];
const RGB = [
  [0, 0, 0],
  [187, 0, 0],
  [0, 187, 0],
  [187, 187, 0],
  [0, 0, 187],
  [187, 0, 187],
  [0, 187, 187],
  [255, 255, 255],
] as const;
 
const ESCAPES = /\u001b\[[0-9;?]*[ -/]*[@-~]|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)|\u001b[@-Z\\-_]/g;
 
const CONTROLS = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g;

/** A line without its escapes, and of what was overwritten by a carriage return only the last state. */
export function plainText(line: string): string {
  return lastState(line).replace(ESCAPES, '').replace(CONTROLS, '');
}

function lastState(line: string): string {
  const trimmed = line.replace(/\r+$/, '');
  return trimmed.slice(trimmed.lastIndexOf('\r') + 1);
}

/** Colours of 256 and of 24 bits are drawn as the nearest of the eight that are readable on both themes. */
function colorOf(fg: string | null | undefined): number | null {
  if (!fg) return null;
  const named = NAMED.findIndex((name) => fg === `ansi-${name}` || fg === `ansi-bright-${name}`);
  if (named >= 0) return named;
  const numbers = /(\d+),\s*(\d+),\s*(\d+)/.exec(fg);
  if (!numbers) return null;
  const [red = 0, green = 0, blue = 0] = numbers.slice(1).map(Number);
  let best = 0;
  let least = Infinity;
  RGB.forEach(([r, g, b], at) => {
    const distance = (r - red) ** 2 + (g - green) ** 2 + (b - blue) ** 2;
    if (distance < least) [best, least] = [at, distance];
  });
  return best;
}

/** A line in pieces of one look each, with the hits of `query` (case does not matter) cut out. */
export function pieces(line: string, query = ''): Piece[] {
  const styled = Anser.ansiToJson(lastState(line), { json: true, remove_empty: true, use_classes: false }).map((part) => ({
    text: part.content.replace(ESCAPES, '').replace(CONTROLS, ''),
    color: colorOf(part.fg),
    bold: part.decorations.includes('bold'),
    dim: part.decorations.includes('dim'),
    hit: false,
  }));
  return query === '' ? styled : cut(styled, query.toLowerCase());
}

function cut(styled: Piece[], query: string): Piece[] {
  const whole = styled.map((piece) => piece.text).join('').toLowerCase();
  const edges = new Set<number>();
  const hits: [number, number][] = [];
  for (let at = whole.indexOf(query); at >= 0; at = whole.indexOf(query, at + query.length)) {
    hits.push([at, at + query.length]);
    edges.add(at).add(at + query.length);
  }
  if (hits.length === 0) return styled;
  const result: Piece[] = [];
  let start = 0;
  for (const piece of styled) {
    const end = start + piece.text.length;
    const cuts = [start, ...[...edges].filter((edge) => edge > start && edge < end).sort((a, b) => a - b), end];
    for (let part = 0; part + 1 < cuts.length; part += 1) {
      const from = cuts[part] ?? start;
      const to = cuts[part + 1] ?? end;
      if (from === to) continue;
      const hit = hits.some(([a, b]) => a <= from && to <= b);
      result.push({ ...piece, text: piece.text.slice(from - start, to - start), hit });
    }
    start = end;
  }
  return result;
}
