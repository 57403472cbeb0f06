/** Ranks of vertices along the flow: every edge leads to a higher one. Edges that close a loop are left out. */

export type Edge = readonly [from: number, to: number];

export interface Ranked {
  /** Of every vertex, from 0. */
  rank: number[];
  /** The edges that were kept, by their number in what was given. */
  kept: number[];
}

export function ranksOf(count: number, edges: readonly Edge[]): Ranked {
  const { order, kept } = sorted(count, edges);
  const before = lists(count);
  const after = lists(count);
  for (const at of kept) {
    const [from, to] = edges[at] ?? [0, 0];
    after[from]?.push(to);
    before[to]?.push(from);
  }
  const rank = new Array<number>(count).fill(0);
  for (const vertex of order) rank[vertex] = highest(before[vertex], rank) + 1;
  // What only leads on stands right before what it leads to, so that its links are short.
  for (const vertex of order.toReversed()) {
    const next = after[vertex] ?? [];
    if (next.length > (before[vertex]?.length ?? 0)) rank[vertex] = lowest(next, rank) - 1;
  }
  const least = rank.reduce((a, b) => Math.min(a, b), Infinity);
  return { rank: rank.map((each) => each - least), kept };
}

export function lists(count: number): number[][] {
  return Array.from({ length: count }, () => []);
}

function highest(vertices: readonly number[] = [], rank: readonly number[]): number {
  return vertices.reduce((most, vertex) => Math.max(most, rank[vertex] ?? 0), -1);
}

function lowest(vertices: readonly number[], rank: readonly number[]): number {
  return vertices.reduce((least, vertex) => Math.min(least, rank[vertex] ?? 0), Infinity);
}

/** Vertices so that edges lead forward, by depth-first search without recursion; loops lose their last edge. */
function sorted(count: number, edges: readonly Edge[]): { order: number[]; kept: number[] } {
  const out = lists(count);
  const entered = new Array<boolean>(count).fill(false);
  edges.forEach(([from, to], at) => {
    out[from]?.push(at);
    if (from !== to) entered[to] = true;
  });
  const [UNSEEN, OPEN, DONE] = [0, 1, 2];
  const state = new Array<number>(count).fill(UNSEEN);
  const order: number[] = [];
  const kept: number[] = [];
  const visit = (root: number) => {
    const stack = [{ vertex: root, next: 0 }];
    state[root] = OPEN;
    for (let top = stack.at(-1); top; top = stack.at(-1)) {
      const at = out[top.vertex]?.[top.next];
      if (at === undefined) {
        state[top.vertex] = DONE;
        order.push(top.vertex);
        stack.pop();
        continue;
      }
      top.next += 1;
      const to = edges[at]?.[1] ?? 0;
      if (state[to] === OPEN) continue;
      kept.push(at);
      if (state[to] === UNSEEN) {
        state[to] = OPEN;
        stack.push({ vertex: to, next: 0 });
      }
    }
  };
  const roots = [...entered.keys()].toSorted((a, b) => Number(entered[a]) - Number(entered[b]) || a - b);
  for (const vertex of roots) if (state[vertex] === UNSEEN) visit(vertex);
  return { order: order.toReversed(), kept: kept.toSorted((a, b) => a - b) };
}
