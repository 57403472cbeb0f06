import { describe, expect, it } from 'vitest';
import type { Parameter, Parameters } from '../api/types';
import { collect, draftOf, limitsOf, parse, serverErrors } from './parameters';

const spec = (change: Partial<Parameter>): Parameter => ({ type: 'string', ...change });

describe('a field', () => {
  it.each([
    [spec({ type: 'number' }), '0.1', 0.1],
    [spec({ type: 'number' }), ' 1e-3 ', 0.001],
    [spec({ type: 'integer' }), '12', 12],
    [spec({ type: 'boolean' }), 'true', true],
    [spec({ type: 'string' }), ' kept as typed ', ' kept as typed '],
    [spec({ type: 'json' }), '{"a": [1, null]}', { a: [1, null] }],
    [spec({ type: 'integer', enum: [1, 2, 4] }), '4', 4],
    [spec({ enum: ['rbf', 'linear'] }), 'rbf', 'rbf'],
  ])('of %j takes %j', (parameter, text, value) => {
    expect(parse(parameter, text)).toEqual({ value });
  });

  it.each([
    [spec({ type: 'number' }), 'abc', /number/],
    [spec({ type: 'number' }), '0x10', /number/],
    [spec({ type: 'number' }), '1e999', /too large/],
    [spec({ type: 'integer' }), '1.5', /whole/],
    [spec({ type: 'number', minimum: 0 }), '-1', /At least 0/],
    [spec({ type: 'number', maximum: 1 }), '1.01', /At most 1/],
    [spec({ type: 'integer' }), '', /needed/],
    [spec({ type: 'string' }), '', /needed/],
    [spec({ min_length: 3 }), 'ab', /At least 3/],
    [spec({ max_length: 3 }), 'abcd', /this has 4/],
    [spec({ type: 'json' }), '{a: 1}', /Not valid JSON/],
    [spec({ enum: ['a'] }), '', /Choose one/],
  ])('of %j refuses %j', (parameter, text, words) => {
    const parsed = parse(parameter, text);
    expect(parsed).toHaveProperty('error');
    expect((parsed as { error: string }).error).toMatch(words);
  });

  it('left empty takes the default', () => {
    expect(parse(spec({ type: 'number', default: 0.1 }), '')).toBe('absent');
  });

  it('says its limits', () => {
    expect(limitsOf(spec({ type: 'number', minimum: 0, maximum: 1 }))).toBe('number, 0 to 1');
    expect(limitsOf(spec({ type: 'integer', minimum: 1 }))).toBe('integer, at least 1');
    expect(limitsOf(spec({ type: 'string' }))).toBe('string');
    expect(limitsOf(spec({ type: 'string', min_length: 3, max_length: 80 }))).toBe('string, 3 to 80 characters');
  });
});

describe('the form', () => {
  const parameters: Parameters = {
    rate: { type: 'number', default: 0.1, minimum: 0 },
    note: { type: 'string' },
    grid: { type: 'json', default: { C: [1, 2] } },
    dry: { type: 'boolean', default: false },
  };

  it('begins with the defaults and gives them back unchanged', () => {
    const { values, errors } = collect(parameters, { ...draftOf(parameters), note: 'x' });
    expect(values).toEqual({ rate: 0.1, note: 'x', grid: { C: [1, 2] }, dry: false });
    expect(errors).toEqual({});
  });

  it('says everything that is wrong at once', () => {
    const { errors } = collect(parameters, { ...draftOf(parameters), rate: '-1', grid: '{' });
    expect(Object.keys(errors)).toEqual(['rate', 'note', 'grid']);
  });

  it('puts what the server refused at its field, and the rest above', () => {
    expect(
      serverErrors(parameters, [
        { field: 'parameters.rate', message: 'must be less than 1' },
        { field: 'note', message: 'too rude' },
        { field: 'version', message: 'is not published' },
      ]),
    ).toEqual({ errors: { rate: 'must be less than 1', note: 'too rude' }, others: ['version: is not published'] });
  });
});
