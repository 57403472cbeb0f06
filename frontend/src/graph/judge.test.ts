import { describe, expect, it } from 'vitest';
import { beyond, judge, reaches, type Ground, type LinkLike } from './judge';
import { fits, portFits } from './ports';

function data(from: string, output: string, to: string, input: string): LinkLike {
  return { id: `${to}.${input}`, sort: 'data', from, to, output, input };
}

const order = (from: string, to: string): LinkLike => ({ id: `${from}>${to}`, sort: 'order', from, to, output: null, input: null });
const port = (name: string, type: string, accepts?: string[]) => ({ name, type, required: true, accepts });

const links = [data('ingest', 'table', 'train', 'table'), order('train', 'check')];
const scopes: Record<string, string> = { 'all/fit': 'all' };
const ground: Ground = { links, scopeOf: (task) => scopes[task] ?? null };
const table = { task: 'ingest', port: port('table', 'table') };

describe('types', () => {
  it('fit as the server has it', () => {
    expect(fits('integer', 'number')).toBe(true);
    expect(fits('number', 'integer')).toBe(false);
    expect(fits('any', 'table')).toBe(true);
    expect(fits('table', 'any')).toBe(true);
    expect(portFits('model', port('in', 'table', ['model']))).toBe(true);
  });
});

describe('a link', () => {
  it('is allowed where nothing speaks against it', () => {
    expect(judge(ground, table, { task: 'check', port: port('data', 'table') })).toBeNull();
    expect(judge(ground, { task: 'ingest', port: null }, { task: 'check', port: null })).toBeNull();
  });

  it('names the types that do not fit', () => {
    const model = { task: 'train', port: port('model', 'model') };
    expect(judge(ground, model, { task: 'check', port: port('data', 'table') })).toBe('model does not fit table (data).');
  });

  it('names the link that takes the input already', () => {
    expect(judge(ground, { task: 'other', port: port('rows', 'table') }, { task: 'train', port: port('table', 'table') })).toBe(
      'table of train is taken by ingest.table: remove that link first.',
    );
  });

  it('never closes a loop', () => {
    const back = { task: 'check', port: port('report', 'json') };
    expect(judge(ground, back, { task: 'ingest', port: port('x', 'json') })).toBe(
      'ingest runs before check already: this would close a loop.',
    );
  });

  it('joins neither scopes nor a task with itself', () => {
    expect(judge(ground, table, { task: 'ingest', port: null })).toContain('cannot wait for itself');
    expect(judge(ground, table, { task: 'all/fit', port: null })).toBe(
      'ingest is outside of every group and fit is not: links join tasks of one group.',
    );
  });

  it('of order is not made twice and carries no value', () => {
    expect(judge(ground, { task: 'train', port: null }, { task: 'check', port: null })).toBe('check waits for train already.');
    expect(judge(ground, { task: 'train', port: null }, { task: 'check', port: port('data', 'any') })).toContain('carries no value');
  });

  it('is checked for loops in at most 5 ms among a thousand tasks with many ways between them', () => {
    const many = Array.from({ length: 1000 }, (_, at) => [1, 2, 3, 5, 8].map((far) => order(`t${at}`, `t${at + far}`))).flat();
    reaches(many, 't0', 'nowhere');
    const began = performance.now();
    for (let round = 0; round < 5; round += 1) expect(reaches(many, 't0', 'nowhere')).toBe(false);
    // The figure is 5 ms; a test fails only far beyond it, as machines are busy.
    expect((performance.now() - began) / 5).toBeLessThan(20);
  });
});

describe('what lies beyond a task', () => {
  it('is all that it leads to, or all that leads to it', () => {
    expect([...beyond(links, 'ingest', 'down')]).toEqual(['train', 'check']);
    expect([...beyond(links, 'check', 'up')]).toEqual(['train', 'ingest']);
  });
});
