import { describe, expect, it } from 'vitest';
import { read } from '../read';
import { farTooDeep } from './depth';

describe('a text that is far too deep', () => {
  it.each([
    ['brackets', `a: ${'['.repeat(100_000)}`],
    ['braces', `a: ${'{a: '.repeat(50_000)}`],
    ['dashes', `a:\n  ${'- '.repeat(50_000)}x`],
    ['question marks', `${'? '.repeat(50_000)}x`],
    ['indentation', Array.from({ length: 1500 }, (_, depth) => `${' '.repeat(depth)}k:`).join('\n')],
  ])('of %s is refused in words before anything recursive reads it', (_, text) => {
    expect(farTooDeep(text)).not.toBeNull();
    expect(read(text)).toMatchObject({ model: null, problems: [{ code: 'too-deep', severity: 'error' }] });
  });

  it.each([
    ['many brackets beside each other', `a: [${'[], '.repeat(5000)}]`],
    ['a long list', '- x\n'.repeat(5000)],
    ['code with its own brackets', 'source: |\n' + '    print("[[[{", (1,))\n'.repeat(20)],
    ['lines that go in and out', '  a:\n    b:\n'.repeat(3000)],
  ])('is none of %s', (_, text) => {
    expect(farTooDeep(text)).toBeNull();
  });
});
