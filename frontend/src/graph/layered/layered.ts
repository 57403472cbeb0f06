import type { Size } from '../types';
import { ordered, type Layers } from './order';
import { lists, ranksOf, type Edge, type Ranked } from './rank';
import { spread } from './spread';

/*
 * Layered layout of boxes without insides, flowing to the right: ranks, an order within ranks, places across. Links that
 * pass ranks have a bend in each. The same input always gives the same result.
 */

export interface LaidBox {
  x: number;
  y: number;
}

export interface LaidLink {
  /** The middles of the gaps between ranks that the link crosses. */
  gaps: number[];
  /** Where it passes the ranks between them. */
  lanes: number[];
}

export interface Laid {
  boxes: LaidBox[];
  /** By number of edge; absent for one that closes a loop or has no place for bends. */
  links: (LaidLink | undefined)[];
}

const GAP = { rank: 48, box: 20, bend: 10 } as const;
/** Beyond so many bends the longest links go straight through. */
const MOST_BENDS = 20_000;
/** A bend insists on a straight line more than a box does. */
const STRAIGHT = 4;

interface Graph extends Layers {
  /** Bends of each edge, from rank to rank; null without. */
  bends: (number[] | null)[];
}

export function layered(sizes: readonly Size[], edges: readonly Edge[]): Laid {
  const ranked = ranksOf(sizes.length, edges);
  const graph = withBends(sizes.length, edges, ranked);
  const ranks = ordered(graph);
  const isBox = (vertex: number) => vertex < sizes.length;
  const middle = spread({
    ...graph,
    ranks,
    breadth: (vertex) => sizes[vertex]?.height ?? 0,
    gap: (vertex, next) => (isBox(vertex) || isBox(next) ? GAP.box : GAP.bend),
    weight: (vertex) => (isBox(vertex) ? 1 : STRAIGHT),
  });
  const { starts, widths } = columns(ranks, sizes);
  const boxes = sizes.map(({ width, height }, vertex): LaidBox => {
    const rank = ranked.rank[vertex] ?? 0;
    return { x: Math.round((starts[rank] ?? 0) + ((widths[rank] ?? 0) - width) / 2), y: Math.round((middle[vertex] ?? 0) - height / 2) };
  });
  const links = edges.map(([from], at): LaidLink | undefined => {
    const bends = graph.bends[at];
    if (!bends) return undefined;
    const first = (ranked.rank[from] ?? 0) + 1;
    return {
      gaps: Array.from({ length: bends.length + 1 }, (_, step) => (starts[first + step] ?? 0) - GAP.rank / 2),
      lanes: bends.map((bend) => Math.round(middle[bend] ?? 0)),
    };
  });
  return { boxes, links };
}

/** Vertices by rank, links that pass ranks cut into one piece per rank. */
function withBends(count: number, edges: readonly Edge[], { rank, kept }: Ranked): Graph {
  const ranks = lists(rank.reduce((most, each) => Math.max(most, each + 1), 0));
  rank.forEach((each, vertex) => ranks[each]?.push(vertex));
  const graph: Graph = { ranks, up: lists(count), down: lists(count), bends: edges.map(() => null) };
  const spanOf = (at: number) => (rank[edges[at]?.[1] ?? 0] ?? 0) - (rank[edges[at]?.[0] ?? 0] ?? 0);
  let left = MOST_BENDS;
  for (const at of kept.toSorted((a, b) => spanOf(a) - spanOf(b) || a - b)) {
    left -= spanOf(at) - 1;
    if (left >= 0) graph.bends[at] = bent(graph, edges[at] ?? [0, 0], rank);
  }
  return graph;
}

/** Leads one link from rank to rank; its new vertices. */
function bent({ ranks, up, down }: Graph, [from, to]: Edge, rank: readonly number[]): number[] {
  const bends: number[] = [];
  let last = from;
  const join = (next: number) => {
    down[last]?.push(next);
    up[next]?.push(last);
    last = next;
  };
  for (let at = (rank[from] ?? 0) + 1; at < (rank[to] ?? 0); at += 1) {
    const bend = up.length;
    up.push([]);
    down.push([]);
    ranks[at]?.push(bend);
    bends.push(bend);
    join(bend);
  }
  join(to);
  return bends;
}

/** Where each rank begins along the flow, and how wide it is. */
function columns(ranks: readonly number[][], sizes: readonly Size[]): { starts: number[]; widths: number[] } {
  const widths = ranks.map((rank) => rank.reduce((most, vertex) => Math.max(most, sizes[vertex]?.width ?? 0), 0));
  let at = 0;
  const starts = widths.map((width) => {
    const start = at;
    at += width + GAP.rank;
    return start;
  });
  return { starts, widths };
}
