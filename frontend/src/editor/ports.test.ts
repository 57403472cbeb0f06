import { describe, expect, it } from 'vitest';
import palette from '../testing/palette.json';
import { read } from './document/read';
import { portsOf, type Known } from './ports';
import { EMPTY_CATALOGUE } from './store';
import type { Block, Catalogue, GraphTask, Judged, KindInfo, Model, Signature } from './types';

/* Kinds as the API gives them; blocks and judgements by hand. */

const KINDS = palette.kinds.kinds.map(({ takes_secrets, ports, ...kind }) => ({
  ...kind,
  takesSecrets: takes_secrets,
  ports: { inputs: ports.inputs, outputs: ports.outputs, openInputs: ports.open_inputs, openOutputs: ports.open_outputs },
})) as unknown as KindInfo[];

const TRAIN: Block = {
  id: 'digits:train',
  name: 'train',
  doc: '',
  location: 'demo',
  open: false,
  problem: '',
  inputs: [{ name: 'table', type: 'table', required: true }],
  outputs: [{ name: 'model', type: 'model', required: false }],
};

const CATALOGUE: Catalogue = {
  ...EMPTY_CATALOGUE,
  kinds: new Map(KINDS.map((kind) => [kind.name, kind])),
  blocks: new Map([[TRAIN.id, TRAIN]]),
};

function modelOf(tasks: string): Model {
  const { model } = read(`schema: orchestrator/v1\nname: small\ntasks:\n${tasks}`);
  if (!model) throw new Error('unreadable');
  return model;
}

function known(tasks: string, judged: Judged | null = null): Known {
  return { model: modelOf(tasks), catalogue: CATALOGUE, judged };
}

const named = (ports: readonly { name: string; type: string }[]) => ports.map(({ name, type }) => `${name}: ${type}`);

describe('portsOf', () => {
  it('takes those of a block from its signature', () => {
    const ports = portsOf('t', known('  t: {kind: python, run: "digits:train", with: {other: 1}}\n'));
    expect(named(ports.inputs)).toEqual(['table: table']);
    expect(named(ports.outputs)).toEqual(['model: model']);
    expect(ports.openInputs).toBe(false);
  });

  it('leaves open what is not known', () => {
    const ports = portsOf('t', known('  t: {kind: python, run: "gone:away"}\n  u: {kind: nothing}\n'));
    expect(ports).toMatchObject({ openInputs: true, openOutputs: true });
    expect(portsOf('u', known('  u: {kind: nothing}\n'))).toMatchObject({ openInputs: true, openOutputs: true });
    expect(portsOf('absent', known('  u: {kind: shell}\n'))).toMatchObject({ inputs: [], openInputs: false });
  });

  it('reads declared outputs and given inputs of a shell task', () => {
    const ports = portsOf('s', known('  s: {kind: shell, run: ls, with: {rate: 0.5, name: x}, outputs: {report: file}}\n'));
    expect(named(ports.outputs)).toEqual(['report: file']);
    expect(named(ports.inputs)).toEqual(['rate: number', 'name: string']);
    expect(ports).toMatchObject({ openInputs: true, openOutputs: false });
  });

  it('has the fixed ports of check, register, deploy and approval', () => {
    const all = known('  c: {kind: check}\n  r: {kind: register}\n  d: {kind: deploy}\n  a: {kind: approval}\n');
    expect(named(portsOf('c', all).inputs)).toEqual(['table: table']);
    expect(portsOf('r', all).inputs[0]?.accepts).toEqual(['file', 'folder']);
    expect(named(portsOf('d', all).outputs)).toEqual(['address: string']);
    expect(portsOf('a', all)).toMatchObject({ inputs: [], outputs: [], openInputs: false, openOutputs: false });
  });

  it('gives a group the outputs it declares, with the types that the server found', () => {
    const text = '  g:\n    kind: group\n    outputs: {best: "${{ tasks.t.outputs.model }}"}\n    tasks:\n      t: {kind: python, run: "digits:train"}\n';
    expect(named(portsOf('g', known(text)).outputs)).toEqual(['best: any']);
    const seen = { key: 'g', outputs: [{ name: 'best', type: 'model' }], inputs: [] } as unknown as GraphTask;
    const judged: Judged = { text: '', problems: [], graph: { tasks: [seen], edges: [] }, signatures: {}, model: null };
    expect(named(portsOf('g', known(text, judged)).outputs)).toEqual(['best: model']);
  });

  it('keeps the last signature of code in the document while it cannot be read', () => {
    const signature: Signature = { name: 'f', doc: '', inputs: [{ name: 'x', type: 'number', required: true }], outputs: [], open: false, problem: '' };
    const good = '  p: {kind: python, source: "def f(x: float) -> None: ..."}\n';
    const judged: Judged = { text: '', problems: [], graph: null, signatures: { p: signature }, model: modelOf(good) };
    expect(named(portsOf('p', known(good, judged)).inputs)).toEqual(['x: number']);
    const broken = { ...judged, signatures: {}, model: modelOf('  p: {kind: python, source: "def f(x"}\n') };
    expect(named(portsOf('p', known('  p: {kind: python, source: "def f(x"}\n', broken)).inputs)).toEqual(['x: number']);
  });

  it('gives the same object for as long as they are the same', () => {
    const before = portsOf('s', known('  s: {kind: shell, run: ls, outputs: {a: file}}\n'));
    expect(portsOf('s', known('  s: {kind: shell, run: pwd, outputs: {a: file}}\n'))).toBe(before);
    expect(portsOf('s', known('  s: {kind: shell, run: pwd, outputs: {b: file}}\n'))).not.toBe(before);
  });
});
