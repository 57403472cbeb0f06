import { describe, expect, it } from 'vitest';
import { laidOut, unsettled } from '../places';
import { docOf, EMPTY_CATALOGUE, EMPTY_LAYOUT } from '../store';
import { portsOf } from '../ports';
import { groundOf, makeScenes, shownIn } from './scene';
import { shownPorts, sizeOf } from './shown';

const NONE: ReadonlySet<string> = new Set();
const port = (name: string, type: string, required = false) => ({ name, type, required });
const ports = (inputs: ReturnType<typeof port>[], outputs: ReturnType<typeof port>[]) => ({ inputs, outputs, openInputs: false, openOutputs: false });

describe('the ports of a card', () => {
  it('are inputs that are required, linked or no plain value', () => {
    const given = ports([port('rows', 'table', true), port('eta', 'number'), port('depth', 'integer'), port('base', 'model')], []);
    const { inputs } = shownPorts(given, { inputs: ['depth'], outputs: [] }, false);
    expect(inputs.map(({ name, linked }) => `${name} ${linked}`)).toEqual(['rows false', 'depth true', 'base false']);
  });

  it('are all outputs, or of many the linked ones first', () => {
    const many = ports([], Array.from({ length: 9 }, (_, at) => port(`o${at}`, 'any')));
    const { outputs, more } = shownPorts(many, { inputs: [], outputs: ['o8'] }, false);
    expect(outputs).toHaveLength(6);
    expect(outputs[0]).toMatchObject({ name: 'o8', linked: true });
    expect(more).toBe(3);
    expect(shownPorts(many, { inputs: [], outputs: [] }, true).outputs).toHaveLength(9);
  });

  it('show where a link ends even when nobody declared it', () => {
    expect(shownPorts(ports([], []), { inputs: ['x'], outputs: [] }, false).inputs).toEqual([{ name: 'x', type: 'any', required: false, linked: true }]);
  });

  it('make it grow by a row each beyond two a side', () => {
    const of = (count: number) => sizeOf(shownPorts(ports(Array.from({ length: count }, (_, at) => port(`i${at}`, 'table')), []), { inputs: [], outputs: [] }, false));
    expect([of(0), of(2), of(3), of(5)].map(({ height }) => height)).toEqual([64, 64, 88, 136]);
  });
});

function text(rate: number): string {
  return `name: scene
tasks:
  ingest: {kind: shell, command: x, outputs: {rows: table}}
  train:
    kind: shell
    command: train ${rate}
    with: {rows: "\${{ tasks.ingest.outputs.rows }}"}
    when: tasks.ingest.outputs.rows > 3
  all: {kind: group, needs: [ingest], tasks: {a: {kind: shell, command: x}}}
`;
}

function sceneOf(written: string, make = makeScenes(), folded = NONE) {
  const { model } = docOf(written, EMPTY_LAYOUT);
  const shown = shownIn(model, (key) => portsOf(key, { model, catalogue: EMPTY_CATALOGUE, judged: null }), NONE);
  const ground = groundOf(model, shown);
  const drawing = unsettled(ground, {});
  return make({ model, spots: drawing ? laidOut(drawing, model.tasks) : {}, notes: {}, folded }, shown, ground);
}

describe('a scene', () => {
  it('keeps the nodes and edges in which a change changed nothing', () => {
    const make = makeScenes();
    const before = sceneOf(text(1), make);
    const after = sceneOf(text(2).replace('name: scene', 'name: other'), make);
    expect(after.cards.map((node, at) => node === before.cards[at])).toEqual([true, true, true, true]);
    const titled = sceneOf(text(1).replace('command: train 1', 'command: x\n    title: Train it'), make);
    expect(titled.cards.filter((node) => !before.cards.includes(node)).map(({ id }) => id)).toEqual(['train']);
    expect(titled.edges.every((edge) => before.edges.includes(edge))).toBe(true);
  });

  it('has a handle for each end of a link, and words on conditions', () => {
    const { edges, cards } = sceneOf(text(1));
    for (const edge of edges) {
      const [up, down] = [cards.find(({ id }) => id === edge.source), cards.find(({ id }) => id === edge.target)];
      expect(up!.handles!.some(({ id, type }) => id === edge.sourceHandle && type === 'source')).toBe(true);
      expect(down!.handles!.some(({ id, type }) => id === edge.targetHandle && type === 'target')).toBe(true);
    }
    expect(edges.map(({ data }) => data!.label).filter(Boolean)).toEqual(['when tasks.ingest.outputs.rows > 3']);
    expect(edges.find(({ data }) => data!.sort === 'data')!.data!.title).toBe('ingest.rows → train.rows');
  });

  it('folds a scope into a card with the count of what is inside', () => {
    const { cards } = sceneOf(text(1), makeScenes(), new Set(['all']));
    expect(cards.map(({ id, type }) => `${id} ${type}`)).toEqual(['ingest card', 'train card', 'all card']);
    expect(cards.at(-1)!.data).toMatchObject({ count: 1, folded: true });
  });
});
