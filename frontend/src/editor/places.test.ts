import { describe, expect, it } from 'vitest';
import { FRAME } from '../graph/layout';
import { laidOut, keepDrawn, placesOf, settled, unsettled, type Ground } from './places';
import { docOf, EMPTY_LAYOUT } from './store';
import type { Place } from '../graph/types';

const TEXT = `schema: orchestrator/v1
name: places
tasks:
  ingest: {kind: shell, command: x, outputs: {rows: table}}
  all:
    kind: group
    tasks:
      fit: {kind: shell, command: x}
      check: {kind: shell, command: x, needs: [fit]}
  report: {kind: shell, command: x, needs: [ingest]}
`;

const doc = docOf(TEXT, EMPTY_LAYOUT);
const ground: Ground = { tasks: doc.model.tasks, links: doc.model.links, sizeOf: () => ({ width: 208, height: 88 }) };
const NONE: ReadonlySet<string> = new Set();

function overlap(a: Place, b: Place): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

describe('places', () => {
  it('lay out scopes in which nothing has a spot', () => {
    const drawing = unsettled(ground, {})!;
    expect(drawing.boxes.filter(({ frame }) => frame).map(({ id }) => id)).toEqual(['all']);
    const places = placesOf(ground, laidOut(drawing, ground.tasks), NONE);
    expect(places.get('report')!.x).toBeGreaterThan(places.get('ingest')!.x + 208);
    expect(places.get('all/fit')!.y).toBeGreaterThanOrEqual(FRAME.top);
    expect(places.get('all')!.width).toBeGreaterThan(2 * 208);
  });

  it('are the spots that are stored, and a frame is as large as what is in it', () => {
    const spots = { ingest: { x: 0, y: 0 }, all: { x: 300, y: 0 }, report: { x: 0, y: 400 }, 'all/fit': { x: 16, y: 40 }, 'all/check': { x: 416, y: 240 } };
    expect(unsettled(ground, spots)).toBeNull();
    const places = placesOf(ground, spots, NONE);
    expect(places.get('all')).toEqual({ x: 300, y: 0, width: 416 + 208 + FRAME.side, height: 240 + 88 + FRAME.bottom });
    expect(placesOf(ground, spots, new Set(['all'])).get('all')).toEqual({ x: 300, y: 0, width: 208, height: 88 });
  });

  it('of a single new task are beside what it waits for, where nothing stands', () => {
    const spots = { ingest: { x: 0, y: 0 }, all: { x: 256, y: 0 }, 'all/fit': { x: 16, y: 40 }, 'all/check': { x: 16, y: 160 } };
    const places = placesOf(ground, spots, NONE);
    expect(places.get('report')!.x).toBe(256);
    expect(overlap(places.get('report')!, places.get('all')!)).toBe(false);
    expect(places.get('ingest')).toMatchObject({ x: 0, y: 0 });
  });

  it('that were drawn stay when the document is changed', () => {
    expect(settled(doc)).toBe(doc.layout);
    keepDrawn(doc, placesOf(ground, laidOut(unsettled(ground, {})!, ground.tasks), NONE));
    expect(Object.keys(settled(doc).tasks)).toHaveLength(5);
  });
});
