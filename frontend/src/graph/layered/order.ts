/** The order of vertices within their ranks: sweeps of medians and swaps of neighbours, fewest crossings win. */

export interface Layers {
  /** Vertices of each rank, in order. */
  ranks: number[][];
  /** Neighbours in the rank before and after, by vertex. */
  up: number[][];
  down: number[][];
}

const SWEEPS = 12;
/** Sweeps without a better order before giving up. */
const PATIENCE = 4;
/** Swapping neighbours costs more than a sweep; above so many vertices it is left out. */
const MOST_SWAPPED = 3000;

export function ordered({ ranks, up, down }: Layers): number[][] {
  const count = up.length;
  let now = firstOrder(ranks, down, count);
  let best = { ranks: now, crossings: crossingsOf(now, down, count) };
  for (let sweep = 0, idle = 0; sweep < SWEEPS && idle < PATIENCE && best.crossings > 0; sweep += 1) {
    now = swept(now, sweep % 2 === 0 ? up : down, sweep % 2 === 0, count);
    if (count <= MOST_SWAPPED) now = swapped(now, up, down, count);
    const crossings = crossingsOf(now, down, count);
    idle = crossings < best.crossings ? 0 : idle + 1;
    if (crossings < best.crossings) best = { ranks: now, crossings };
  }
  return best.ranks;
}

/** As a depth-first walk meets them: what belongs together begins together. */
function firstOrder(ranks: number[][], down: number[][], count: number): number[][] {
  const met = new Array<number>(count).fill(-1);
  let clock = 0;
  for (const root of ranks.flat()) {
    const stack = [root];
    for (let vertex = stack.pop(); vertex !== undefined; vertex = stack.pop()) {
      if (met[vertex] !== -1) continue;
      met[vertex] = clock++;
      stack.push(...(down[vertex] ?? []).toReversed());
    }
  }
  return ranks.map((rank) => rank.toSorted((a, b) => (met[a] ?? 0) - (met[b] ?? 0)));
}

function positionsOf(ranks: readonly number[][], count: number): number[] {
  const position = new Array<number>(count).fill(0);
  for (const rank of ranks) rank.forEach((vertex, at) => (position[vertex] = at));
  return position;
}

/** One pass over all ranks, each ordered by the medians of the neighbours in the rank passed before. */
function swept(ranks: readonly number[][], neighbours: number[][], forward: boolean, count: number): number[][] {
  const position = positionsOf(ranks, count);
  const key = new Float64Array(count);
  const result = ranks.map((rank) => rank);
  const steps = forward ? [...ranks.keys()] : [...ranks.keys()].reverse();
  for (const at of steps) {
    const rank = result[at] ?? [];
    for (const vertex of rank) key[vertex] = median(neighbours[vertex] ?? [], position) ?? position[vertex] ?? 0;
    const next = rank.toSorted((a, b) => (key[a] ?? 0) - (key[b] ?? 0) || (position[a] ?? 0) - (position[b] ?? 0));
    next.forEach((vertex, place) => (position[vertex] = place));
    result[at] = next;
  }
  return result;
}

function median(vertices: readonly number[], position: readonly number[]): number | null {
  if (vertices.length < 2) return position[vertices[0] ?? -1] ?? null;
  const spots = vertices.map((vertex) => position[vertex] ?? 0).sort((a, b) => a - b);
  const middle = spots.length >> 1;
  const [low, high] = [spots[middle - 1] ?? 0, spots[middle] ?? 0];
  return spots.length % 2 === 1 ? high : (low + high) / 2;
}

/** Neighbours of a rank change places wherever that takes away crossings. */
function swapped(ranks: readonly number[][], up: number[][], down: number[][], count: number): number[][] {
  const position = positionsOf(ranks, count);
  return ranks.map((rank) => {
    const next = [...rank];
    for (let at = 0; at + 1 < next.length; at += 1) {
      const [a = 0, b = 0] = [next[at], next[at + 1]];
      const [kept, gained] = [
        between(up[a], up[b], position) + between(down[a], down[b], position),
        between(up[b], up[a], position) + between(down[b], down[a], position),
      ];
      if (gained >= kept) continue;
      next[at] = b;
      next[at + 1] = a;
      position[a] = at + 1;
      position[b] = at;
    }
    return next;
  });
}

/** Crossings of the edges of two neighbours, the first standing before the second. */
function between(first: readonly number[] = [], second: readonly number[] = [], position: readonly number[]): number {
  let crossings = 0;
  for (const one of first) for (const other of second) if ((position[one] ?? 0) > (position[other] ?? 0)) crossings += 1;
  return crossings;
}

export function crossingsOf(ranks: readonly number[][], down: number[][], count: number): number {
  const position = positionsOf(ranks, count);
  const widest = ranks.reduce((most, rank) => Math.max(most, rank.length), 0);
  return ranks.reduce((sum, rank) => sum + crossingsBelow(rank, down, position, widest), 0);
}

/** Pairs in the wrong order, counted with a Fenwick tree. */
function crossingsBelow(rank: readonly number[], down: number[][], position: readonly number[], widest: number): number {
  const tree = new Int32Array(widest + 1);
  let [crossings, total] = [0, 0];
  for (const vertex of rank) {
    const ends = (down[vertex] ?? []).map((to) => position[to] ?? 0);
    if (ends.length > 1) ends.sort((a, b) => a - b);
    for (const end of ends) {
      let before = 0;
      for (let at = end + 1; at > 0; at -= at & -at) before += tree[at] ?? 0;
      crossings += total - before;
    }
    for (const end of ends) {
      for (let at = end + 1; at <= widest; at += at & -at) tree[at] = (tree[at] ?? 0) + 1;
      total += 1;
    }
  }
  return crossings;
}

