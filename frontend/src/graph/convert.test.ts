import { describe, expect, it } from 'vitest';
import { drawingOf, drawingOfTrace } from './convert';
import { pathOf } from './route';

const task = (key: string, parent: string | null = null, kind = 'python') => ({ key, parent, kind });

describe('a version as a drawing', () => {
  it('says the rule of an edge unless it is the usual one', () => {
    const { links } = drawingOf(
      [task('a'), task('b'), task('c'), task('d')],
      [
        { up: 'a', down: 'b', rule: 'success' },
        { up: 'a', down: 'c', rule: 'failure' },
        { up: 'a', down: 'd', rule: 'always' },
      ],
    );
    expect(links.map((link) => link.label)).toEqual(['', 'on failure', 'always']);
  });

  it('makes a frame of every task that holds others, whatever its kind', () => {
    const { boxes } = drawingOf([task('g', null, 'group'), task('m', null, 'map'), task('m/x', 'm')], []);
    expect(boxes.map((box) => box.frame)).toEqual([true, true, false]);
  });

  it('leaves out an edge to a task that is not there', () => {
    expect(drawingOf([task('a')], [{ up: 'a', down: 'gone', rule: 'success' }]).links).toEqual([]);
  });

  it('draws two slots between the same two things of a trace as one link', () => {
    const edges = [
      { from: 'a', to: 'b', slot: 'x' },
      { from: 'a', to: 'b', slot: 'y' },
    ];
    expect(drawingOfTrace([{ id: 'a' }, { id: 'b' }], edges).links).toHaveLength(1);
  });
});

describe('the path of a link', () => {
  it('is straight where both ends lie on one lane', () => {
    expect(pathOf('right', { x: 0, y: 10 }, { gaps: [50], lanes: [] }, { x: 100, y: 10 })).toBe(
      'M0,10L30,10C50,10 50,10 70,10L100,10',
    );
  });

  it('bends in the gaps only', () => {
    const path = pathOf('right', { x: 0, y: 0 }, { gaps: [50, 250], lanes: [40] }, { x: 300, y: 0 });
    expect(path).toBe('M0,0L30,0C50,0 50,40 70,40L230,40C250,40 250,0 270,0L300,0');
  });

  it('turns with the flow', () => {
    expect(pathOf('down', { x: 10, y: 0 }, { gaps: [50], lanes: [] }, { x: 30, y: 100 })).toBe(
      'M10,0L10,30C10,50 30,50 30,70L30,100',
    );
  });
});
