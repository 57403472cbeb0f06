/* Texts as lines: what differs between two, and three of them merged. Pure. */

/** Lines `from` up to `until` of the old text are lines `start` up to `end` of the new one. */
export interface Hunk {
  from: number;
  until: number;
  start: number;
  end: number;
}

/** Beyond so many differing lines the middle counts as one change: a person would not read it line by line either. */
const MOST = 1000;

export function linesOf(text: string): string[] {
  return text.split(/(?<=\n)/);
}

/** What must be replaced in `old` to get `now`, in order (Myers). */
export function hunksOf(old: readonly string[], now: readonly string[]): Hunk[] {
  let head = 0;
  while (head < old.length && head < now.length && old[head] === now[head]) head += 1;
  let tail = 0;
  while (tail < old.length - head && tail < now.length - head && old.at(-1 - tail) === now.at(-1 - tail)) tail += 1;
  const a = old.slice(head, old.length - tail);
  const b = now.slice(head, now.length - tail);
  return grouped(pairsOf(a, b), a.length, b.length).map((hunk) => ({
    from: hunk.from + head,
    until: hunk.until + head,
    start: hunk.start + head,
    end: hunk.end + head,
  }));
}

type Pair = readonly [old: number, now: number];

/** The stretches between lines that stay. */
function grouped(pairs: readonly Pair[], oldLength: number, nowLength: number): Hunk[] {
  const hunks: Hunk[] = [];
  let from = 0;
  let start = 0;
  for (const [until, end] of [...pairs, [oldLength, nowLength] as const]) {
    if (until > from || end > start) hunks.push({ from, until, start, end });
    from = until + 1;
    start = end + 1;
  }
  return hunks;
}

/** Places of the lines that stay, by the shortest edit script; none when the texts are too different. */
function pairsOf(a: readonly string[], b: readonly string[]): Pair[] {
  const trace: Map<number, number>[] = [];
  const reach = new Map<number, number>([[1, 0]]);
  for (let depth = 0; depth <= Math.min(a.length + b.length, MOST); depth += 1) {
    trace.push(new Map(reach));
    for (let diagonal = -depth; diagonal <= depth; diagonal += 2) {
      let x = comesDown(reach, diagonal, depth) ? at(reach, diagonal + 1) : at(reach, diagonal - 1) + 1;
      while (x < a.length && x - diagonal < b.length && a[x] === b[x - diagonal]) x += 1;
      reach.set(diagonal, x);
      if (x >= a.length && x - diagonal >= b.length) return walkBack(trace, a.length, b.length);
    }
  }
  return [];
}

const at = (reach: ReadonlyMap<number, number>, diagonal: number) => reach.get(diagonal) ?? -1;

function comesDown(reach: ReadonlyMap<number, number>, diagonal: number, depth: number): boolean {
  return diagonal === -depth || (diagonal !== depth && at(reach, diagonal - 1) < at(reach, diagonal + 1));
}

function walkBack(trace: readonly ReadonlyMap<number, number>[], oldLength: number, nowLength: number): Pair[] {
  const pairs: Pair[] = [];
  let x = oldLength;
  let y = nowLength;
  for (let depth = trace.length - 1; depth >= 0; depth -= 1) {
    const reach = trace[depth] ?? new Map<number, number>();
    const diagonal = x - y;
    const before = comesDown(reach, diagonal, depth) ? diagonal + 1 : diagonal - 1;
    const beforeX = at(reach, before);
    const beforeY = beforeX - before;
    while (x > Math.max(0, beforeX) && y > Math.max(0, beforeY)) pairs.push([--x, --y]);
    x = Math.max(0, beforeX);
    y = Math.max(0, beforeY);
  }
  return pairs.reverse();
}

/**
 * The changes of both texts since `base`. Where both changed the same lines differently, those of `mine` stand.
 */
export function mergeLines(base: string, mine: string, theirs: string): string {
  const old = linesOf(base);
  const ours = linesOf(mine);
  const others = linesOf(theirs);
  const merged: string[] = [];
  let done = 0;
  for (const { from, until, my, their } of regionsOf(hunksOf(old, ours), hunksOf(old, others))) {
    merged.push(...old.slice(done, from));
    if (my.length > 0) merged.push(...linesIn(my, from, until, ours));
    else merged.push(...linesIn(their, from, until, others));
    done = until;
  }
  return [...merged, ...old.slice(done)].join('');
}

interface Region {
  from: number;
  until: number;
  my: Hunk[];
  their: Hunk[];
}

/** Changes that touch each other are one region. */
function regionsOf(mine: readonly Hunk[], theirs: readonly Hunk[]): Region[] {
  const all = [...mine.map((hunk) => ({ hunk, my: true })), ...theirs.map((hunk) => ({ hunk, my: false }))];
  all.sort((one, other) => one.hunk.from - other.hunk.from || one.hunk.until - other.hunk.until);
  const regions: Region[] = [];
  for (const { hunk, my } of all) {
    const last = regions.at(-1);
    const region = last && hunk.from <= last.until ? last : { from: hunk.from, until: hunk.until, my: [], their: [] };
    if (region !== last) regions.push(region);
    region.until = Math.max(region.until, hunk.until);
    (my ? region.my : region.their).push(hunk);
  }
  return regions;
}

/** What a side has in place of lines `from` to `until` of the base, which its hunks lie in. */
function linesIn(hunks: readonly Hunk[], from: number, until: number, lines: readonly string[]): readonly string[] {
  const first = hunks[0];
  const last = hunks.at(-1);
  if (!first || !last) return [];
  return lines.slice(first.start - (first.from - from), last.end + (until - last.until));
}

export interface Row {
  sign: '+' | '-' | ' ';
  text: string;
}

/** Two texts one below the other, with so many lines around each change; null stands for lines left out. */
export function rowsOf(old: string, now: string, around = 3): (Row | null)[] {
  const a = linesOf(old);
  const b = linesOf(now);
  const rows: (Row | null)[] = [];
  let shown = 0;
  for (const { from, until, start, end } of hunksOf(a, b)) {
    pushContext(rows, a, shown, from, shown === 0 ? 0 : around, around);
    rows.push(...a.slice(from, until).map((text): Row => ({ sign: '-', text })));
    rows.push(...b.slice(start, end).map((text): Row => ({ sign: '+', text })));
    shown = until;
  }
  pushContext(rows, a, shown, a.length, around, 0);
  return rows;
}

/** The first and the last lines of a stretch that stays. */
function pushContext(rows: (Row | null)[], lines: readonly string[], from: number, until: number, after: number, before: number): void {
  const row = (text: string): Row => ({ sign: ' ', text });
  if (until - from <= after + before) {
    rows.push(...lines.slice(from, until).map(row));
    return;
  }
  rows.push(...lines.slice(from, from + after).map(row), null, ...lines.slice(until - before, until).map(row));
}
