import { describe, expect, it } from 'vitest';
import { read } from '../document/read';
import { EMPTY_CATALOGUE } from '../store';
import type { Block, Catalogue, KindInfo, Port } from '../types';
import { OPEN_PORTS, type Known } from '../ports';
import { candidatesFor, namesFor, outputsInside, referredBy } from './references';

function block(id: string, inputs: Record<string, string>, outputs: Record<string, string>): Block {
  const ports = (of: Record<string, string>): Port[] => Object.entries(of).map(([name, type]) => ({ name, type, required: true }));
  return { id, name: id, doc: '', location: 'demo', open: false, problem: '', inputs: ports(inputs), outputs: ports(outputs) };
}

const BLOCKS = [
  block('m:read', {}, { table: 'table', rows: 'integer' }),
  block('m:train', { table: 'table', rate: 'number' }, { model: 'model', loss: 'number' }),
  block('m:test', { model: 'model' }, { accuracy: 'number' }),
];

const CATALOGUE: Catalogue = {
  ...EMPTY_CATALOGUE,
  blocks: new Map(BLOCKS.map((each) => [each.id, each])),
  kinds: new Map([['python', { name: 'python', takesSecrets: true, ports: OPEN_PORTS } as KindInfo]]),
  secrets: ['db-password'],
};

const TEXT = `
schema: orchestrator/v1
name: small
parameters:
  rate: {type: number}
  label: {type: string}
tasks:
  read: {kind: python, run: m:read}
  train:
    kind: python
    run: m:train
    with: {table: "\${{ tasks.read.outputs.table }}"}
  test:
    kind: python
    run: m:test
    with: {model: "\${{ tasks.train.outputs.model }}"}
  each:
    kind: map
    over: [1, 2]
    as: number
    with: {factor: 2}
    tasks:
      inner: {kind: python, run: m:read}
`;

const { model } = read(TEXT);
if (!model) throw new Error('unreadable');
const KNOWN: Known = { model, catalogue: CATALOGUE, judged: null };
const task = (key: string) => model.tasks.get(key)!;
const texts = (key: string, port: Port) => candidatesFor(task(key), port, KNOWN).map(({ text }) => text);

describe('what a field may refer to', () => {
  it('is what fits and does not come after the task', () => {
    expect(texts('train', { name: 'table', type: 'table', required: true })).toEqual(['${{ tasks.read.outputs.table }}']);
    expect(texts('train', { name: 'model', type: 'model', required: true })).toEqual([]);
  });

  it('puts the same name and type first, secrets last', () => {
    const [first, ...others] = texts('train', { name: 'rate', type: 'number', required: true });
    expect(first).toBe('${{ params.rate }}');
    expect(others).toEqual(['${{ tasks.read.outputs.rows }}']);
    expect(texts('train', { name: 'key', type: 'string', required: true })).toEqual(['${{ params.label }}', '${{ secrets.db-password }}']);
  });

  it('knows the inputs of the scope and the item of a map, and nothing outside of it', () => {
    const found = texts('each/inner', { name: 'x', type: 'integer', required: true });
    expect(found).toEqual(['${{ inputs.factor }}', '${{ number }}']);
  });

  it('gives conditions names without braces, and values only', () => {
    const names = namesFor(task('test'), KNOWN).map(({ text }) => text);
    expect(names).toContain('tasks.train.outputs.loss');
    expect(names).toContain('params.rate');
    expect(names).not.toContain('tasks.train.outputs.model');
  });

  it('of the outputs of a scope is what the tasks inside give', () => {
    expect(outputsInside(task('each'), KNOWN).map(({ text }) => text)).toContain('${{ tasks.inner.outputs.rows }}');
  });
});

describe('what a value refers to', () => {
  it('is said by its producer', () => {
    expect(referredBy('${{ tasks.read.outputs.rows }}', null, KNOWN)).toEqual({ source: 'output', producer: 'read', kind: 'python', name: 'rows', missing: false });
  });

  it('is missing when there is no such task, parameter or input', () => {
    expect(referredBy('${{ tasks.gone.outputs.rows }}', null, KNOWN)?.missing).toBe(true);
    expect(referredBy('${{ params.gone }}', null, KNOWN)?.missing).toBe(true);
    expect(referredBy('${{ inputs.factor }}', 'each', KNOWN)?.missing).toBe(false);
  });

  it('is nothing for a plain value or a text around a reference', () => {
    expect(referredBy(3, null, KNOWN)).toBeNull();
    expect(referredBy('a ${{ params.rate }}', null, KNOWN)).toBeNull();
  });
});
