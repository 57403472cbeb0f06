import { describe, expect, test } from 'vitest';
import { drawingOf } from './convert';
import { drawnPlacement } from './drawn';
import { CARD, FRAME } from './layout';

const TASKS = [
  { key: 'load', parent: null, kind: 'shell' },
  { key: 'all', parent: null, kind: 'group' },
  { key: 'all/fit', parent: 'all', kind: 'shell' },
  { key: 'all/judge', parent: 'all', kind: 'shell' },
];
const DRAWING = drawingOf(TASKS, [{ up: 'load', down: 'all', rule: 'success' }]);
const SPOTS = { load: { x: -96, y: 48 }, all: { x: 240, y: -24 }, 'all/fit': { x: 16, y: 40 }, 'all/judge': { x: 64, y: 184 } };

describe('a version that was drawn', () => {
  test('is drawn in the same way, from its corner on', () => {
    const { places, flow, width, height } = drawnPlacement(DRAWING, { tasks: SPOTS, notes: {} })!;
    expect(flow).toBe('right');
    expect(places.get('load')).toEqual({ x: 0, y: 72, ...CARD });
    expect(places.get('all')).toMatchObject({ x: 336, y: 0 });
    expect(places.get('all/judge')).toEqual({ x: 64, y: 184, ...CARD });
    expect([width, height]).toEqual([336 + places.get('all')!.width, places.get('all')!.height]);
  });

  test('has frames around all that is in them', () => {
    const { places } = drawnPlacement(DRAWING, { tasks: SPOTS })!;
    const [frame, last] = [places.get('all')!, places.get('all/judge')!];
    expect(frame.width).toBe(last.x + last.width + FRAME.side);
    expect(frame.height).toBe(last.y + last.height + FRAME.bottom);
  });

  test.each([
    ['a task without a spot', { tasks: { ...SPOTS, 'all/fit': undefined } }],
    ['a spot that is none', { tasks: { ...SPOTS, load: { x: '1', y: 2 } } }],
    ['no layout', {}],
    ['a layout that is none', { tasks: [] }],
  ])('is laid out when there is %s', (_, stored) => {
    expect(drawnPlacement(DRAWING, stored)).toBeNull();
  });

  test('of nothing has no placement', () => {
    expect(drawnPlacement({ boxes: [], links: [] }, { tasks: {} })).toBeNull();
  });
});
