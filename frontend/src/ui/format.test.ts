import { afterEach, describe, expect, it } from 'vitest';
import { formatBytes, formatDateTime, formatDuration, formatRelative, formatTicking, plural, setFormat, shortDigest } from './format';
import { compactJson } from './json';

afterEach(() => setFormat({ locale: 'en', time_zone: 'UTC' }));

describe('words for figures', () => {
  it.each([
    [0, '0.0s'],
    [400, '0.4s'],
    [9_960, '10s'],
    [12_000, '12s'],
    [245_000, '4m 05s'],
    [3_600_000 * 3 + 120_000, '3h 02m'],
    [86_400_000 * 2 + 3_600_000 * 4, '2d 4h'],
    [-50, '0.0s'],
  ])('%d ms is %s', (ms, words) => expect(formatDuration(ms)).toBe(words));

  it('shows no tenths on a clock that ticks', () => expect(formatTicking(4_900)).toBe('4s'));

  it.each([
    [1, '1 byte'],
    [900, '900 bytes'],
    [234_567, '229 KiB'],
    [1_204_567, '1.1 MiB'],
  ])('%d bytes are %s', (bytes, words) => expect(formatBytes(bytes)).toBe(words));

  it('counts', () => {
    expect(plural(1, 'task')).toBe('1 task');
    expect(plural(1200, 'task')).toBe('1,200 tasks');
  });

  it('says how long ago', () => {
    const now = Date.parse('2026-03-02T08:00:00Z');
    expect(formatRelative('2026-03-02T07:57:00Z', now)).toBe('3 minutes ago');
    expect(formatRelative('2026-03-02T08:00:02Z', now)).toBe('just now');
    expect(formatRelative('2026-03-02T08:00:15Z', now)).toBe('just now');
    expect(formatRelative('2026-03-02T08:00:20Z', now)).toBe('in 20 seconds');
    expect(formatRelative('2026-03-03T08:00:00Z', now)).toBe('tomorrow');
  });

  it("is the person's: zone and locale, or the browser's where those are not known", () => {
    setFormat({ locale: 'en', time_zone: 'Asia/Singapore' });
    expect(formatDateTime('2026-03-02T18:00:00Z')).toMatch(/Mar 3, 2026.*02:00:00/);
    setFormat({ locale: 'not a locale', time_zone: 'Mars/Olympus' });
    expect(formatDateTime('2026-03-02T18:00:00Z')).toMatch(/Mar 3, 2026/);
  });

  it('shortens a digest', () => expect(shortDigest(`sha256:${'ab'.repeat(32)}`)).toBe('abababababab'));

  it('keeps short JSON on one line and breaks what is long', () => {
    expect(compactJson({ C: [0.1, 1] })).toBe('{"C": [0.1, 1]}');
    expect(compactJson([Array(30).fill(1), [2]])).toContain('\n');
    expect(JSON.parse(compactJson({ a: 'x'.repeat(80), b: [{ c: null }] }))).toEqual({ a: 'x'.repeat(80), b: [{ c: null }] });
  });
});
