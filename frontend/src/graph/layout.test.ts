import { describe, expect, it } from 'vitest';
import { drawingOf } from './convert';
import { absolute, CARD, FRAME, layout, layoutFor } from './layout';
import type { Drawing, Place } from './types';

/** "a>b" lines; a slash puts a task inside of a group. */
function draw(...lines: string[]): Drawing {
  const keys = [...new Set(lines.flatMap((line) => line.split('>')))];
  const parentOf = (key: string) => (key.includes('/') ? key.slice(0, key.lastIndexOf('/')) : null);
  const groups = new Set(keys.map(parentOf));
  return drawingOf(
    keys.map((key) => ({ key, parent: parentOf(key), kind: groups.has(key) ? 'group' : 'python' })),
    lines.filter((line) => line.includes('>')).map((line) => {
      const [up = '', down = ''] = line.split('>');
      return { up, down, rule: 'success' };
    }),
  );
}

function overlap(a: Place, b: Place): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

function placesOf(drawing: Drawing) {
  const { places } = layout(drawing);
  const parents = new Map(drawing.boxes.map((box) => [box.id, box.parent]));
  return new Map(drawing.boxes.map((box) => [box.id, absolute(box.id, parents, places)]));
}

describe('layout', () => {
  it('puts every task to the right of what it waits for', () => {
    //   ingest -> check -> train
    //        \------------^
    const places = placesOf(draw('ingest>check', 'check>train', 'ingest>train'));
    expect(places.get('check')!.x).toBeGreaterThan(places.get('ingest')!.x + CARD.width);
    expect(places.get('train')!.x).toBeGreaterThan(places.get('check')!.x + CARD.width);
  });

  it('puts it below when the drawing flows down', () => {
    const { places } = layout(draw('a>b'), 'down');
    expect(places.get('b')!.y).toBeGreaterThan(places.get('a')!.y + CARD.height);
  });

  it('lets no two cards of a scope overlap', () => {
    const drawing = draw('a>b', 'a>c', 'a>d', 'b>e', 'c>e', 'd>e', 'f', 'g>e');
    const places = [...placesOf(drawing).values()];
    for (const [at, one] of places.entries()) {
      for (const other of places.slice(at + 1)) expect(overlap(one, other)).toBe(false);
    }
  });

  it('keeps inner tasks inside of their frame, at every depth', () => {
    const drawing = draw('load>all', 'all/prepare>all/tune', 'all/tune/grid>all/tune/pick', 'all>report');
    const places = placesOf(drawing);
    const inside = (child: string, frame: string) => {
      const [a, b] = [places.get(child)!, places.get(frame)!];
      expect(a.x).toBeGreaterThanOrEqual(b.x + FRAME.side);
      expect(a.y).toBeGreaterThanOrEqual(b.y + FRAME.top);
      expect(a.x + a.width).toBeLessThanOrEqual(b.x + b.width - FRAME.side);
      expect(a.y + a.height).toBeLessThanOrEqual(b.y + b.height - FRAME.bottom);
    };
    inside('all/prepare', 'all');
    inside('all/tune', 'all');
    inside('all/tune/grid', 'all/tune');
    inside('all/tune/pick', 'all/tune');
    expect(places.get('report')!.x).toBeGreaterThan(places.get('all')!.x + places.get('all')!.width);
  });

  it('gives the same placement for the same drawing', () => {
    const drawing = draw('a>b', 'a>c', 'b>d', 'c>d', 'e>d');
    expect(layout(drawing)).toEqual(layout(drawing));
  });

  it('leads a long link through one lane per rank that it passes', () => {
    const { routes } = layout(draw('a>b', 'b>c', 'c>d', 'a>d'));
    expect(routes.get('a>d:success')!.gaps).toHaveLength(3);
    expect(routes.get('a>d:success')!.lanes).toHaveLength(2);
    expect(routes.get('a>b:success')).toMatchObject({ lanes: [] });
  });

  it('places a group that holds nothing and a drawing without boxes', () => {
    const empty = drawingOf([{ key: 'g', parent: null, kind: 'group' }], []);
    expect(layout(empty).places.get('g')).toMatchObject({ width: CARD.width + 2 * FRAME.side });
    expect(layout({ boxes: [], links: [] }).places.size).toBe(0);
  });

  it('flows down when a chain would be too small on a canvas that is not wide', () => {
    const chain = draw('a>b', 'b>c', 'c>d', 'd>e', 'e>f', 'f>g', 'g>h');
    expect(layoutFor(chain, 1.2).flow).toBe('down');
    expect(layoutFor(chain, 4).flow).toBe('right');
    expect(layoutFor(draw('a>b'), 1.2).flow).toBe('right');
  });

  it('places a thousand tasks without overlaps', () => {
    const lines = Array.from({ length: 950 }, (_, at) => `t${at}>t${at + 50}`);
    const places = [...placesOf(draw(...lines)).values()];
    const spots = new Set(places.map(({ x, y }) => `${x} ${y}`));
    expect(spots.size).toBe(1000);
  });
});
