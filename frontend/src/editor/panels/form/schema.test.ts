import { beforeAll, describe, expect, it } from 'vitest';
import palette from '../../../testing/palette.json';
import { checking, faultOf } from './check';
import { controlOf, labelOf, starterOf, type Schema } from './schema';
import { parseJson, parseNumber, parseScalar } from './typed';

beforeAll(() => checking);

const { kinds, common, work } = palette.kinds as unknown as {
  kinds: { name: string; keys: Record<string, Schema> }[];
  common: Record<string, Schema>;
  work: Record<string, Schema>;
};
const keysOf = (name: string) => kinds.find((kind) => kind.name === name)?.keys ?? {};
const sortOf = (schema: Schema | undefined) => controlOf(schema ?? {}).sort;

describe('the control of a schema', () => {
  it('is a real one for every key but needs, which are drawn as links', () => {
    const yaml = Object.entries({ ...common, ...work }).filter(([, schema]) => sortOf(schema) === 'yaml');
    expect(yaml.map(([key]) => key)).toEqual(['needs']);
    expect(sortOf(work.retries)).toBe('object');
    expect(sortOf(keysOf('check').checks)).toBe('list');
    expect(sortOf(keysOf('shell').outputs)).toBe('map');
    expect(controlOf(keysOf('shell').run ?? {})).toEqual({ sort: 'text', lines: 8 });
  });

  it('knows choices, pairs, switches and values of several types', () => {
    expect(controlOf({ enum: ['a', 'b'] })).toEqual({ sort: 'choice', choices: ['a', 'b'] });
    expect(controlOf({ enum: [true] })).toEqual({ sort: 'tick', value: true });
    expect(sortOf({ type: 'array', items: { enum: ['a', 'b'] } })).toBe('choices');
    expect(sortOf({ type: 'array', minItems: 2, maxItems: 2, items: { type: 'number' } })).toBe('pair');
    expect(sortOf({ type: ['number', 'string', 'null'] })).toBe('scalar');
    expect(sortOf({ type: 'boolean' })).toBe('switch');
  });

  it('is YAML for everything beyond the subset', () => {
    const beyond: Schema[] = [{}, { anyOf: [{ type: 'string' }] }, { type: 'object' }, { type: 'array' }, { $ref: '#/x' }, { type: ['array', 'string'] }];
    for (const schema of beyond) {
      expect(sortOf(schema)).toBe('yaml');
    }
  });
});

describe('a first value', () => {
  it('of a list of checks is one rule', () => {
    const items = keysOf('check').checks?.items as Schema;
    expect(starterOf(items)).toEqual({ rows: { min: 0 } });
  });

  it('fits its schema', () => {
    const schema: Schema = { type: 'array', minItems: 2, maxItems: 2, items: { type: ['number', 'string', 'null'] } };
    expect(faultOf(schema, starterOf(schema))).toBeNull();
    expect(starterOf({ type: 'integer', minimum: 3 })).toBe(3);
    expect(starterOf({ type: 'integer', default: 7 })).toBe(7);
  });
});

describe('what a schema has against a value', () => {
  it('is said in the words of the schema', () => {
    expect(faultOf(work.timeout ?? {}, 'soon')).toBe('Write a duration: a number and ms, s, m, h or d, such as 30s or 1h.');
    expect(faultOf(work.timeout ?? {}, '30s')).toBeNull();
  });

  it('is the limit that was passed', () => {
    expect(faultOf({ type: 'integer', minimum: 1, maximum: 3 }, 0)).toBe('At least 1.');
    expect(faultOf({ type: 'integer', maximum: 3 }, 4)).toBe('At most 3.');
    expect(faultOf({ type: 'integer' }, 1.5)).toBe('A whole number, please.');
    expect(faultOf({ enum: ['a', 2] }, 'b')).toBe('One of a, 2.');
    expect(faultOf({ type: 'string', minLength: 1 }, '')).toBe('This is empty: write something, or clear the field.');
  });

  it('is left to the server where there is a reference', () => {
    expect(faultOf({ type: 'integer' }, '${{ params.x }}')).toBeNull();
  });
});

describe('what is typed', () => {
  it('is a number, or stays as it is', () => {
    expect(parseNumber('1e-3')).toEqual({ value: 0.001 });
    expect(parseNumber(' ')).toEqual({ value: undefined });
    expect(parseNumber('many')).toEqual({ value: 'many' });
  });

  it('is a scalar of the types that are allowed', () => {
    expect(parseScalar(['string', 'number', 'boolean'])('true')).toEqual({ value: true });
    expect(parseScalar(['string'])('5')).toEqual({ value: '5' });
    expect(parseScalar(['number', 'null'])('')).toEqual({ value: null });
  });

  it('is JSON, a reference, or told why not', () => {
    expect(parseJson('{"a": [1]}')).toEqual({ value: { a: [1] } });
    expect(parseJson(' ${{ params.x }}')).toEqual({ value: '${{ params.x }}' });
    expect(parseJson('{a')).toHaveProperty('fault');
  });
});

it('labels read as words', () => {
  expect(labelOf('requester_may_approve', {})).toBe('Requester may approve');
  expect(labelOf('gpu', { title: 'GPUs' })).toBe('GPUs');
});
