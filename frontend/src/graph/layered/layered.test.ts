import { describe, expect, it } from 'vitest';
import { layered } from './layered';
import { crossingsOf, ordered } from './order';
import { lists, ranksOf, type Edge } from './rank';

const card = { width: 208, height: 64 };

/** Always the same numbers for the same seed. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1664525 + 1013904223) % 4294967296;
    return state / 4294967296;
  };
}

function graphOf(count: number, seed: number): Edge[] {
  const next = random(seed);
  return Array.from({ length: count * 2 }, (): Edge => {
    const to = 1 + Math.floor(next() * (count - 1));
    return [Math.max(0, to - 1 - Math.floor(next() * 12)), to];
  });
}

describe('ranks', () => {
  it('lead every edge forward, and leave out what closes a loop', () => {
    const { rank, kept } = ranksOf(3, [[0, 1], [1, 2], [2, 0]]);
    expect(rank).toEqual([0, 1, 2]);
    expect(kept).toEqual([0, 1]);
  });

  it('put what only leads on right before what it leads to', () => {
    expect(ranksOf(4, [[0, 1], [1, 2], [3, 2]]).rank).toEqual([0, 1, 2, 1]);
  });
});

describe('the order', () => {
  it('takes crossings away', () => {
    // Two columns of four, each linked to the one upside down.
    const down = lists(8);
    const up = lists(8);
    for (const at of [0, 1, 2, 3]) {
      down[at]!.push(7 - at);
      up[7 - at]!.push(at);
    }
    const ranks = [[0, 1, 2, 3], [4, 5, 6, 7]];
    expect(crossingsOf(ranks, down, 8)).toBe(6);
    expect(crossingsOf(ordered({ ranks, up, down }), down, 8)).toBe(0);
  });
});

describe('a layered layout', () => {
  it.each([1, 2, 3, 4, 5])('lets no two boxes of any size overlap (%i)', (seed) => {
    const next = random(seed);
    const sizes = Array.from({ length: 120 }, () => ({ width: 208 + 100 * Math.floor(next() * 3), height: 64 + 24 * Math.floor(next() * 8) }));
    const { boxes } = layered(sizes, graphOf(120, seed));
    const places = boxes.map((box, at) => ({ ...box, ...sizes[at]! }));
    for (const [at, a] of places.entries()) {
      for (const b of places.slice(at + 1)) {
        expect(a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height).toBe(false);
      }
    }
  });

  it('is the same for the same input', () => {
    const sizes = Array.from({ length: 60 }, () => card);
    expect(layered(sizes, graphOf(60, 7))).toEqual(layered(sizes, graphOf(60, 7)));
  });

  it('keeps a chain straight, and a link that passes it beside it', () => {
    const { boxes, links } = layered([card, card, card], [[0, 1], [1, 2], [0, 2]]);
    expect(links[2]!.lanes).toHaveLength(1);
    const lane = links[2]!.lanes[0]!;
    expect(lane < boxes[1]!.y || lane > boxes[1]!.y + card.height).toBe(true);
  });

  it('places a thousand boxes in a moment', () => {
    const sizes = Array.from({ length: 1000 }, () => card);
    const began = performance.now();
    layered(sizes, graphOf(1000, 3));
    // The figure is 250 ms; a test fails only far beyond it, as machines are busy.
    expect(performance.now() - began).toBeLessThan(4 * 250);
  });
});
