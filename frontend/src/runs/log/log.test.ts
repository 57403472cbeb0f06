import { describe, expect, it, vi } from 'vitest';
import type { LogSlice } from '../../api/types';
import { pieces, plainText } from './ansi';
import { BLOCK, createLogBook } from './book';
import { atEnd, followAfterScroll } from './follow';

function makeLog(count: number) {
  const lines = Array.from({ length: count }, (_, at) => `line ${at}`);
  const fetchSlice = vi.fn((offset: number, limit: number): Promise<LogSlice> => {
    const found = lines.slice(offset, offset + limit);
    return Promise.resolve({
      offset,
      lines: found,
      next: offset + found.length,
      total: lines.length,
      complete: false,
      dropped_bytes: 0,
    });
  });
  return { lines, fetchSlice, book: createLogBook(fetchSlice) };
}

describe('the lines of a log', () => {
  it('begin at the end when it is known where that is: two hundred thousand lines cost one request', async () => {
    const { book, fetchSlice } = makeLog(200_000);
    await book.catchUp(200_000);
    expect(fetchSlice).toHaveBeenCalledOnce();
    expect(book.line(199_999)).toBe('line 199999');
    expect(book.line(0)).toBeUndefined();
    expect(book.getState().total).toBe(200_000);
  });

  it('jump to the end when nobody knew how long it is', async () => {
    const { book, fetchSlice } = makeLog(50_000);
    await book.catchUp();
    expect(book.line(49_999)).toBe('line 49999');
    expect(fetchSlice.mock.calls.length).toBeLessThanOrEqual(2);
  });

  it('grow by what was written since', async () => {
    const { book, lines, fetchSlice } = makeLog(3);
    await book.catchUp();
    lines.push('line 3', 'line 4');
    await book.catchUp();
    expect(fetchSlice).toHaveBeenLastCalledWith(2, BLOCK, expect.anything());
    expect(book.getState().total).toBe(5);
    expect(book.line(4)).toBe('line 4');
  });

  it('take the last line anew, as it may have been half written', async () => {
    const { book, lines } = makeLog(2);
    lines[1] = 'half';
    await book.catchUp();
    lines[1] = 'half and whole';
    await book.catchUp();
    expect(book.line(1)).toBe('half and whole');
  });

  it('are loaded block by block where somebody looks, each block once', async () => {
    const { book, fetchSlice } = makeLog(10_000);
    await book.catchUp(10_000);
    fetchSlice.mockClear();
    book.ensure(1200, 1240);
    book.ensure(1210, 1250);
    await vi.waitFor(() => expect(book.line(1200)).toBe('line 1200'));
    expect(fetchSlice).toHaveBeenCalledOnce();
    expect(fetchSlice).toHaveBeenCalledWith(1000, BLOCK, expect.anything());
  });

  it('are asked for again after a failure', async () => {
    const { book, fetchSlice } = makeLog(10);
    fetchSlice.mockRejectedValueOnce(new Error('no answer'));
    await book.catchUp();
    expect(book.getState().problem).toEqual(new Error('no answer'));
    await book.catchUp();
    expect(book.getState()).toMatchObject({ problem: null, total: 10 });
  });

  it('may be none', async () => {
    const { book } = makeLog(0);
    await book.catchUp();
    expect(book.getState()).toMatchObject({ loaded: true, total: 0 });
  });
});

describe('a line', () => {
  it('is cut into pieces by its colours', () => {
    expect(pieces('\u001b[31mERROR\u001b[0m all \u001b[1;32mok\u001b[0m')).toMatchObject([
      { text: 'ERROR', color: 1, bold: false },
      { text: ' all ', color: null },
      { text: 'ok', color: 2, bold: true },
    ]);
  });

  it('shows every other colour as the nearest of the eight that can be read', () => {
    expect(pieces('\u001b[38;5;196mred\u001b[0m')[0]).toMatchObject({ color: 1 });
    expect(pieces('\u001b[38;2;10;10;250mblue\u001b[0m')[0]).toMatchObject({ color: 4 });
  });

  it('marks every hit, also across colours and whatever the case', () => {
    const found = pieces('\u001b[31mLo\u001b[0mss lOSS', 'loss');
    expect(found.filter((piece) => piece.hit).map((piece) => piece.text)).toEqual(['Lo', 'ss', 'lOSS']);
    expect(found.map((piece) => piece.text).join('')).toBe('Loss lOSS');
  });

  it('keeps of an overwritten progress bar the last state only', () => {
    expect(plainText('10%\r20%\r100%\r')).toBe('100%');
  });

  it('loses its escapes and control characters when copied', () => {
    expect(plainText('\u001b]0;title\u0007\u001b[2Ka\u0008b\tc')).toBe('ab\tc');
  });

  it('is never read as markup', () => {
    expect(pieces('<b>&amp;</b>')[0]?.text).toBe('<b>&amp;</b>');
  });
});

describe('following the end of a log', () => {
  const spot = (top: number) => ({ top, height: 100, content: 1000 });

  it('pauses when one scrolls up', () => {
    expect(followAfterScroll(true, 900, spot(700))).toBe(false);
  });

  it('goes on when one comes back to the end', () => {
    expect(followAfterScroll(false, 700, spot(890))).toBe(true);
    expect(atEnd(spot(890))).toBe(true);
  });

  it('does not pause when lines are added below', () => {
    expect(followAfterScroll(true, 700, spot(700))).toBe(true);
  });
});
