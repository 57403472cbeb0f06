import { describe, expect, it } from 'vitest';
import { drawingOf } from './convert';
import { layout } from './layout';
import { first, neighbour } from './navigate';

//  a -> b -> d
//   \-> c -/
const drawing = drawingOf(
  ['a', 'b', 'c', 'd'].map((key) => ({ key, parent: null, kind: 'python' })),
  [
    { up: 'a', down: 'b', rule: 'success' },
    { up: 'a', down: 'c', rule: 'success' },
    { up: 'b', down: 'd', rule: 'success' },
    { up: 'c', down: 'd', rule: 'success' },
  ],
);

describe('arrow keys', () => {
  const right = layout(drawing, 'right');
  const down = layout(drawing, 'down');

  it('begin at the beginning of the flow', () => {
    expect(first(drawing, right)).toBe('a');
    expect(first(drawing, down)).toBe('a');
  });

  it('follow a link in the way of the flow and back', () => {
    expect(['b', 'c']).toContain(neighbour(drawing, right, 'a', 'right'));
    expect(neighbour(drawing, right, 'b', 'right')).toBe('d');
    expect(neighbour(drawing, right, 'b', 'left')).toBe('a');
    expect(neighbour(drawing, down, 'b', 'down')).toBe('d');
    expect(neighbour(drawing, down, 'b', 'up')).toBe('a');
  });

  it('go to the neighbour across the flow', () => {
    const [upper = '', lower = ''] = ['b', 'c'].sort((x, y) => right.places.get(x)!.y - right.places.get(y)!.y);
    expect(neighbour(drawing, right, upper, 'down')).toBe(lower);
    expect(neighbour(drawing, right, lower, 'up')).toBe(upper);
  });

  it('stop at the rim', () => {
    expect(neighbour(drawing, right, 'd', 'right')).toBeNull();
    expect(neighbour(drawing, right, 'a', 'left')).toBeNull();
  });

  it('start over when the box is gone', () => {
    expect(neighbour(drawing, right, 'gone', 'right')).toBe('a');
  });
});
