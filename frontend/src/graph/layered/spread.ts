/** Where vertices stand across the flow: as near to their neighbours as their order and the gaps allow. */

interface Spread {
  /** Vertices of each rank, in order. */
  ranks: readonly number[][];
  up: number[][];
  down: number[][];
  /** Across the flow, in pixels. */
  breadth: (vertex: number) => number;
  gap: (vertex: number, next: number) => number;
  /** How much a vertex insists on standing straight between its neighbours. */
  weight: (vertex: number) => number;
}

const PASSES = 8;

/** The middle of every vertex, the outermost edge being at 0. */
export function spread({ ranks, up, down, breadth, gap, weight }: Spread): number[] {
  const middle = new Array<number>(up.length).fill(0);
  const steps = ranks.map((rank) => rank.slice(1).map((vertex, at) => {
    const before = rank[at] ?? 0;
    return (breadth(before) + breadth(vertex)) / 2 + gap(before, vertex);
  }));
  const settle = (at: number, wanted: (vertex: number) => number) => {
    const rank = ranks[at] ?? [];
    const spots = nearest(rank.map(wanted), rank.map(weight), steps[at] ?? []);
    rank.forEach((vertex, place) => (middle[vertex] = spots[place] ?? 0));
  };
  for (const at of ranks.keys()) settle(at, () => 0);
  for (let pass = 0; pass < PASSES; pass += 1) {
    const last = pass >= PASSES - 2;
    const forward = pass % 2 === 0;
    for (let step = 0; step < ranks.length; step += 1) {
      const at = forward ? step : ranks.length - 1 - step;
      settle(at, (vertex) => {
        const near = (forward ? up : down)[vertex] ?? [];
        const far = (forward ? down : up)[vertex] ?? [];
        return mean(last || near.length === 0 ? [...near, ...far] : near, middle) ?? middle[vertex] ?? 0;
      });
    }
  }
  const edge = ranks.flat().reduce((least, vertex) => Math.min(least, (middle[vertex] ?? 0) - breadth(vertex) / 2), Infinity);
  return middle.map((each) => each - (Number.isFinite(edge) ? edge : 0));
}

function mean(vertices: readonly number[], middle: readonly number[]): number | null {
  if (vertices.length === 0) return null;
  return vertices.reduce((sum, vertex) => sum + (middle[vertex] ?? 0), 0) / vertices.length;
}

interface Block {
  /** Where its first vertex wants to stand, on average. */
  spot: number;
  weight: number;
  count: number;
}

/** Spots with at least these steps between them, as near to what is wanted as possible (pools of adjacent violators). */
function nearest(wanted: readonly number[], weights: readonly number[], steps: readonly number[]): number[] {
  const offsets = [0];
  for (const step of steps) offsets.push((offsets.at(-1) ?? 0) + step);
  const blocks: Block[] = [];
  wanted.forEach((want, at) => {
    let block: Block = { spot: want - (offsets[at] ?? 0), weight: weights[at] ?? 1, count: 1 };
    for (let before = blocks.at(-1); before && before.spot > block.spot; before = blocks.at(-1)) {
      const weight = before.weight + block.weight;
      const spot = (before.spot * before.weight + block.spot * block.weight) / weight;
      block = { spot, weight, count: before.count + block.count };
      blocks.pop();
    }
    blocks.push(block);
  });
  return blocks.flatMap(({ spot, count }) => new Array<number>(count).fill(spot)).map((spot, at) => spot + (offsets[at] ?? 0));
}
