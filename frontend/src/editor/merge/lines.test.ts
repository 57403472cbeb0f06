import { describe, expect, it } from 'vitest';
import { hunksOf, linesOf, mergeLines, rowsOf } from './lines';

/** Numbers that look random and are the same every time. */
function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 8) % sides;
  };
}

function someLines(roll: (sides: number) => number): string[] {
  return Array.from({ length: roll(12) }, () => `${'abcd'[roll(4)] ?? ''}\n`);
}

describe('what must be replaced', () => {
  it('turns one text into the other, whatever they are', () => {
    const roll = dice(7);
    for (let round = 0; round < 300; round += 1) {
      const old = someLines(roll);
      const now = someLines(roll);
      let done = 0;
      const made: string[] = [];
      for (const { from, until, start, end } of hunksOf(old, now)) {
        made.push(...old.slice(done, from), ...now.slice(start, end));
        done = until;
      }
      expect([...made, ...old.slice(done)]).toEqual(now);
    }
  });

  it('is nothing of what stays', () => {
    expect(hunksOf(linesOf('a\nb\nc\n'), linesOf('a\nB\nc\n'))).toEqual([{ from: 1, until: 2, start: 1, end: 2 }]);
    expect(hunksOf(['a\n'], ['a\n'])).toEqual([]);
  });
});

describe('three texts', () => {
  const base = 'one\ntwo\nthree\nfour\nfive\n';

  it('are joined line by line', () => {
    expect(mergeLines(base, base.replace('one', 'ONE'), base.replace('five', 'five\nsix'))).toBe('ONE\ntwo\nthree\nfour\nfive\nsix\n');
  });

  it('keep mine where both changed the same lines', () => {
    expect(mergeLines(base, base.replace('three', 'mine'), base.replace('three', 'theirs'))).toBe('one\ntwo\nmine\nfour\nfive\n');
  });

  it('give mine when only mine changed, and theirs when only theirs did', () => {
    const roll = dice(11);
    for (let round = 0; round < 100; round += 1) {
      const old = someLines(roll).join('');
      const now = someLines(roll).join('');
      expect(mergeLines(old, now, old)).toBe(now);
      expect(mergeLines(old, old, now)).toBe(now);
    }
  });
});

describe('rows', () => {
  it('show what changed with some lines around it and leave the rest out', () => {
    const old = Array.from({ length: 20 }, (_, at) => `line ${at}\n`).join('');
    const rows = rowsOf(old, old.replace('line 10\n', 'line ten\n'), 1);
    expect(rows).toEqual([
      null,
      { sign: ' ', text: 'line 9\n' },
      { sign: '-', text: 'line 10\n' },
      { sign: '+', text: 'line ten\n' },
      { sign: ' ', text: 'line 11\n' },
      null,
    ]);
  });
});
