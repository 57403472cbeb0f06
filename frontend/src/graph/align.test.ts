import { describe, expect, it } from 'vitest';
import { aligned, distributed, snapped } from './align';

const boxes = new Map([
  ['a', { x: 0, y: 10, width: 100, height: 64 }],
  ['b', { x: 160, y: 30, width: 100, height: 88 }],
  ['c', { x: 500, y: 20, width: 100, height: 64 }],
]);

describe('align', () => {
  it('moves to the outermost line and leaves out what is there already', () => {
    expect([...aligned(boxes, 'top')]).toEqual([
      ['b', { x: 160, y: 10 }],
      ['c', { x: 500, y: 10 }],
    ]);
    expect(aligned(boxes, 'bottom').get('a')).toEqual({ x: 0, y: 54 });
    expect(aligned(boxes, 'right').get('b')).toEqual({ x: 500, y: 30 });
    expect(aligned(boxes, 'centre').get('b')).toEqual({ x: 250, y: 30 });
    expect(aligned(boxes, 'middle').get('a')).toEqual({ x: 0, y: 32 });
  });
});

describe('distribute', () => {
  it('makes gaps equal and moves neither end', () => {
    expect([...distributed(boxes, 'across')]).toEqual([['b', { x: 250, y: 30 }]]);
  });

  it('has nothing to do for two boxes', () => {
    expect(distributed(new Map([...boxes].slice(0, 2)), 'across').size).toBe(0);
  });
});

it('snaps to a grid of 8', () => {
  expect(snapped({ x: 13, y: -3 })).toEqual({ x: 16, y: -0 });
});
