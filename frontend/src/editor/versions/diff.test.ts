import { describe, expect, it } from 'vitest';
import { DIGITS, DIGITS_1, DIGITS_2 } from '../../testing/documents';
import { countOf, diffOf, isEmpty } from './diff';

describe('what changed between two texts', () => {
  it('is told by task and field, with old and new values', () => {
    const diff = diffOf(DIGITS_2, DIGITS);
    expect(diff?.tasks.map(({ key, mark, changes }) => [key, mark, changes])).toEqual([
      ['train', 'changed', [
        { path: ['retries', 'limit'], from: 3, to: 1 },
        { path: ['timeout'], from: '10m', to: undefined },
      ]],
      ['approve', 'added', []],
      ['register', 'changed', [{ path: ['needs'], from: undefined, to: ['approve'] }]],
    ]);
    expect(diff?.parameters).toEqual([{ path: ['epochs', 'default'], from: 120, to: 180 }]);
    expect(diff?.edges.map(({ from, to, mark }) => [from, to, mark])).toEqual([
      ['evaluate', 'approve', 'added'],
      ['approve', 'register', 'added'],
    ]);
    expect(diff && countOf(diff)).toBe(6);
  });

  it('is the reverse the other way round', () => {
    expect(diffOf(DIGITS, DIGITS_2)?.tasks.find(({ key }) => key === 'approve')?.mark).toBe('removed');
  });

  it('names the fields of the head', () => {
    expect(diffOf(DIGITS, DIGITS.replace('30m', '45m'))?.fields).toEqual([{ path: ['defaults', 'timeout'], from: '30m', to: '45m' }]);
  });

  it('does not tell of comments, order or spelling', () => {
    const other = DIGITS.replace('# Two graphics cards fit this twice.\n    ', '').replace('needs: [check]', 'needs:\n      - check');
    const diff = diffOf(DIGITS, other);
    expect(diff && isEmpty(diff)).toBe(true);
  });

  it('begins at an empty pipeline for an empty text', () => {
    expect(diffOf('', DIGITS_1)?.tasks.every(({ mark }) => mark === 'added')).toBe(true);
  });

  it('is not known of a text that cannot be read', () => {
    expect(diffOf(DIGITS, `${DIGITS}  x: [`)).toBeNull();
  });
});
