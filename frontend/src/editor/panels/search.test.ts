import { describe, expect, it } from 'vitest';
import { OPEN_PORTS } from '../ports';
import type { PaletteEntry } from './entries';
import { search } from './search';

function entry(title: string, description = '', tags: string[] = []): PaletteEntry {
  return { id: title, title, origin: '', description, tags, category: '', kind: 'python', name: title, entry: {}, ports: OPEN_PORTS, location: null };
}

const titles = (entries: PaletteEntry[], query: string) => search(entries, query).map(({ entry: { title } }) => title);

describe('search in the palette', () => {
  it('gives everything as it comes for an empty query', () => {
    expect(titles([entry('b'), entry('a')], ' ')).toEqual(['b', 'a']);
  });

  it('puts the whole name before its beginning, a word of it, its inside, a tag and the description', () => {
    const entries = [
      entry('other', 'reads a csv file'),
      entry('tagged', '', ['csv']),
      entry('xcsvx'),
      entry('read_csv'),
      entry('csv_writer'),
      entry('csv'),
    ];
    expect(titles(entries, 'CSV')).toEqual(['csv', 'csv_writer', 'read_csv', 'xcsvx', 'tagged', 'other']);
  });

  it('wants every word, in any order', () => {
    const entries = [entry('train', 'fits a forest', ['learners']), entry('train_linear', 'fits a line', ['learners'])];
    expect(titles(entries, 'forest train')).toEqual(['train']);
    expect(titles(entries, 'forest train nothing')).toEqual([]);
  });

  it('marks what was searched for', () => {
    const [found] = search([entry('read_csv', 'Reads csv.')], 'csv');
    expect(found).toMatchObject({ inTitle: [5, 8], inDescription: [6, 9] });
  });

  it('answers over 500 blocks at once', () => {
    const entries = Array.from({ length: 500 }, (_, no) => entry(`block_${no}`, `Does the thing number ${no}`, ['module']));
    const start = performance.now();
    expect(titles(entries, 'block_499')[0]).toBe('block_499');
    expect(performance.now() - start).toBeLessThan(50);
  });
});
