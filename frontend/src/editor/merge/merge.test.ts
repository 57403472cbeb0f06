import { describe, expect, it } from 'vitest';
import { EMPTY_LAYOUT } from '../store';
import type { Json, Layout } from '../types';
import { merge, placeWords, valueOf } from './merge';
import { changesOf, equal, isMap, type Value } from './values';

const BASE = `schema: orchestrator/v1
# kept
name: digits
parameters:
  eta: {type: number, default: 0.1}
tasks:
  load:
    kind: shell
    run: echo 1
  train:
    kind: python
    # two cards
    run: digits:train
    needs: [load]
    with: {eta: 0.1, max_depth: 3}
  report:
    kind: shell
    run: echo done
`;

const of = (text: string, layout: Layout = EMPTY_LAYOUT) => ({ text, layout });
const joined = (mine: string, theirs: string, base = BASE) => merge(of(base), of(mine), of(theirs));

describe('changes of different things', () => {
  it('are both there, on different lines', () => {
    const mine = BASE.replace('echo 1', 'echo 2 # mine');
    const theirs = BASE.replace('echo done', 'echo over').replace('# two cards', '# three cards');
    const { text, clashes } = joined(mine, theirs);
    expect(clashes).toEqual([]);
    expect(text).toBe(mine.replace('echo done', 'echo over').replace('# two cards', '# three cards'));
  });

  it('are both there, on one line', () => {
    const { text, clashes } = joined(BASE.replace('eta: 0.1, max', 'eta: 0.2, max'), BASE.replace('max_depth: 3', 'max_depth: 5'));
    expect(clashes).toEqual([]);
    expect(text).toContain('with: {eta: 0.2, max_depth: 5}');
    expect(text).toContain('# two cards');
  });

  it('are both there when both added a task at the end', () => {
    const { text, clashes } = joined(`${BASE}  mine: {kind: shell, run: echo m}\n`, `${BASE}  theirs: {kind: shell, run: echo t}\n`);
    expect(clashes).toEqual([]);
    expect(Object.keys(valueOf(text)?.tasks ?? {})).toEqual(expect.arrayContaining(['load', 'train', 'report', 'mine', 'theirs']));
  });

  it('are both there when both let the task wait for another', () => {
    const { text, clashes } = joined(BASE.replace('[load]', '[load, a]'), BASE.replace('[load]', '[load, b]'));
    expect(clashes).toEqual([]);
    expect(text).toContain('needs: [load, a, b]');
  });

  it('name what came from the other person', () => {
    const { theirs } = joined(BASE, BASE.replace('max_depth: 3', 'max_depth: 5'));
    expect(theirs).toEqual([{ path: ['tasks', 'train', 'with', 'max_depth'], from: 3, to: 5 }]);
  });
});

describe('changes of the same thing', () => {
  const mine = BASE.replace('eta: 0.1, max', 'eta: 0.2, max').replace('echo 1', 'echo mine');
  const theirs = BASE.replace('eta: 0.1, max', 'eta: 0.3, max').replace('echo done', 'echo theirs');

  it('ask about that place only', () => {
    const { clashes } = joined(mine, theirs);
    expect(clashes).toEqual([{ path: ['tasks', 'train', 'with', 'eta'], base: 0.1, mine: 0.2, theirs: 0.3 }]);
  });

  it('give what is chosen, and everything else of both', () => {
    for (const [side, value] of [['mine', 0.2], ['theirs', 0.3]] as const) {
      const { text, choices } = merge(of(BASE), of(mine), of(theirs), () => side);
      expect(choices).toEqual([side]);
      expect(text).toContain(`with: {eta: ${value}, max_depth: 3}`);
      expect(text).toContain('echo mine');
      expect(text).toContain('echo theirs');
    }
  });

  it('are none when both made the same of it', () => {
    expect(joined(mine, mine)).toMatchObject({ text: mine, clashes: [] });
  });

  it('ask when one removed what the other changed', () => {
    const without = BASE.slice(0, BASE.indexOf('  report:'));
    const { clashes } = joined(without, theirs);
    expect(clashes.map(({ path, mine: here }) => [path.join('.'), here])).toEqual([['tasks.report', undefined]]);
    expect(valueOf(merge(of(BASE), of(without), of(theirs), () => 'theirs').text)?.tasks).toHaveProperty('report.run', 'echo theirs');
  });

  it('ask for the whole text when one cannot be read', () => {
    const broken = `${BASE}  x: [`;
    const { clashes, text } = joined(broken, theirs);
    expect(clashes).toEqual([{ path: [], base: BASE, mine: broken, theirs }]);
    expect(text).toBe(broken);
    expect(merge(of(BASE), of(broken), of(theirs), () => 'theirs').text).toBe(theirs);
  });
});

describe('layouts', () => {
  const spots = (tasks: Layout['tasks']): Layout => ({ tasks, notes: {} });

  it('are joined task by task, and mine stands where both moved', () => {
    const { layout } = merge(
      of(BASE, spots({ load: { x: 0, y: 0 }, train: { x: 0, y: 0 } })),
      of(BASE, spots({ load: { x: 5, y: 5 }, train: { x: 1, y: 1 } })),
      of(BASE, spots({ load: { x: 0, y: 0 }, train: { x: 2, y: 2 }, report: { x: 9, y: 9 } })),
    );
    expect(layout.tasks).toEqual({ load: { x: 5, y: 5 }, train: { x: 1, y: 1 }, report: { x: 9, y: 9 } });
  });
});

describe('notes', () => {
  const note = (text: string) => ({ x: 0, y: 0, width: 80, height: 40, text });
  const noted = (notes: Layout['notes']): Layout => ({ tasks: {}, notes });

  it('on which both wrote hold both texts', () => {
    const base = of(BASE, noted({ n: note('Ask') }));
    const { layout } = merge(base, of(BASE, noted({ n: note('Ask Ana') })), of(BASE, noted({ n: { ...note('Ask Budi'), x: 8 } })));
    expect(layout.notes).toEqual({ n: { ...note('Ask Ana\n\nAsk Budi'), x: 8 } });
  });

  it('that one removed and the other wrote on are kept', () => {
    const base = of(BASE, noted({ n: note('Ask') }));
    const none = of(BASE, noted({}));
    const written = of(BASE, noted({ n: note('Ask Budi') }));
    expect(merge(base, none, written).layout).toEqual(written.layout);
    expect(merge(base, written, none).layout).toEqual(written.layout);
  });
});

describe('places in words', () => {
  it.each([
    [['tasks', 'train', 'with', 'eta'], 'train › with.eta'],
    [['tasks', 'all', 'tasks', 'fit', 'run'], 'all/fit › run'],
    [['parameters', 'epochs', 'default'], 'parameters.epochs.default'],
    [['tasks', 'report'], 'report'],
    [[], 'the whole text'],
  ])('%j', (path, words) => expect(placeWords(path)).toBe(words));
});

/** Numbers that look random and are the same every time. */
function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 8) % sides;
  };
}

/** A document of eight tasks, of which each of two people edits their own. */
function documentOf(values: readonly number[], extra: readonly string[] = []): string {
  const tasks = values.map((value, at) =>
    at % 2 === 0
      ? `  t${at}:\n    kind: shell\n    # about t${at}\n    run: echo ${at}\n    with: {a: ${value}, b: ${at}}\n`
      : `  t${at}:\n    kind: shell\n    run: echo ${at}\n    with:\n      a: ${value}\n`,
  );
  return `schema: orchestrator/v1\nname: many\ntasks:\n${tasks.join('')}${extra.map((name) => `  ${name}: {kind: shell, run: echo}\n`).join('')}`;
}

describe('edits of different tasks by two people, in 150 random rounds', () => {
  it('are all there, whoever saves last', () => {
    const roll = dice(3);
    for (let round = 0; round < 150; round += 1) {
      const base = documentOf([0, 0, 0, 0, 0, 0, 0, 0]);
      const owner = Array.from({ length: 8 }, () => roll(3));
      const value = Array.from({ length: 8 }, () => roll(9) + 1);
      const ana = documentOf(owner.map((who, at) => (who === 1 ? (value[at] ?? 0) : 0)), roll(2) ? ['ana'] : []);
      const budi = documentOf(owner.map((who, at) => (who === 2 ? (value[at] ?? 0) : 0)), roll(2) ? ['budi'] : []);
      const one = joined(ana, budi, base);
      const other = joined(budi, ana, base);
      expect([...one.clashes, ...other.clashes]).toEqual([]);
      const changes = [...changesOf(said(base), said(ana)), ...changesOf(said(base), said(budi))];
      for (const merged of [one, other]) expectAll(merged.text, changes);
      expect(equal(said(one.text), said(other.text))).toBe(true);
      expect(one.text.match(/# about/g)).toHaveLength(4);
    }
  });
});

const said = (text: string) => valueOf(text) ?? undefined;

function expectAll(text: string, changes: readonly { path: readonly string[]; to: Json | undefined }[]): void {
  for (const { path, to } of changes) {
    const found = path.reduce((value: Value, key) => (isMap(value) ? value[key] : undefined), said(text));
    expect(found).toEqual(to);
  }
}
