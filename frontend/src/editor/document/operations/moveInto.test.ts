import { expect, test } from 'vitest';
import { Refused } from '../../types';
import { changes, doc, yaml } from '../testing/edits';
import { NESTED, samples } from '../testing/samples';
import { hasServer, Server } from '../testing/server';
import { moveInto } from './moveInto';

const PLAIN = yaml`
  tasks:
    load: {kind: shell, run: echo, outputs: {table: table}}
    # about clean
    clean:
      kind: shell
      run: echo # as it is
      needs: [{task: alarm, on: always}]
      with: {table: "\${{ tasks.load.outputs.table }}"}
      outputs: {rows: table}
    alarm: {kind: shell, run: echo}
    all:
      kind: group
      tasks:
        fit: {kind: shell, run: echo, with: {t: "\${{ inputs.rows }}"}, outputs: {model: model}}
      with:
        rows: \${{ tasks.clean.outputs.rows }} # the rows
        seed: 1
      outputs: {model: "\${{ tasks.fit.outputs.model }}"}
    send: {kind: shell, run: echo, with: {model: "\${{ tasks.all.outputs.model }}", rows: "\${{ tasks.clean.outputs.rows }}"}}
`;

test('a task comes into a group: what it takes and gives passes the border', () => {
  expect(changes(PLAIN, (before) => moveInto(before, ['clean'], 'all'))).toBe(
    [
      '-  # about clean',
      '-  clean:',
      '-    kind: shell',
      '-    run: echo # as it is',
      '-    needs: [{task: alarm, on: always}]',
      '-    with: {table: "${{ tasks.load.outputs.table }}"}',
      '-    outputs: {rows: table}',
      '-  alarm: {kind: shell, run: echo}',
      '-  all:',
      '-    kind: group',
      '-    tasks:',
      '-      fit: {kind: shell, run: echo, with: {t: "${{ inputs.rows }}"}, outputs: {model: model}}',
      '-    with:',
      '-      rows: ${{ tasks.clean.outputs.rows }} # the rows',
      '-      seed: 1',
      '-    outputs: {model: "${{ tasks.fit.outputs.model }}"}',
      '-  send: {kind: shell, run: echo, with: {model: "${{ tasks.all.outputs.model }}", rows: "${{ tasks.clean.outputs.rows }}"}}',
      '+  alarm: {kind: shell, run: echo}',
      '+  all:',
      '+    kind: group',
      '+    needs: [{task: alarm, on: always}]',
      '+    tasks:',
      '+      fit: {kind: shell, run: echo, with: {t: "${{ tasks.clean.outputs.rows }}"}, outputs: {model: model}}',
      '+      # about clean',
      '+      clean:',
      '+        kind: shell',
      '+        run: echo # as it is',
      '+        with: {table: "${{ inputs.table }}"}',
      '+        outputs: {rows: table}',
      '+    with:',
      '+      seed: 1',
      '+      table: "${{ tasks.load.outputs.table }}"',
      '+    outputs: {model: "${{ tasks.fit.outputs.model }}", rows: "${{ tasks.clean.outputs.rows }}"}',
      '+  send: {kind: shell, run: echo, with: {model: "${{ tasks.all.outputs.model }}", rows: "${{ tasks.all.outputs.rows }}"}}',
    ].join('\n'),
  );
});

test('a task that goes in and comes out again is linked as before; what the group waits for it goes on waiting for', () => {
  const inside = moveInto(doc(PLAIN), ['clean'], 'all');
  const outside = doc(moveInto(doc(inside.text ?? ''), ['all/clean'], null).text ?? '');
  const pairs = ({ model }: typeof outside) => model.links.map(({ from, to, sort, output }) => [from, to, sort, output].join(' ')).toSorted();
  expect(pairs(outside)).toEqual(['alarm all order ', ...pairs(doc(PLAIN))]);
});

test('a task goes out of two groups and into another, through the ports of all', () => {
  const text = yaml`
    parameters: {n: {type: integer, default: 1}}
    tasks:
      outer:
        kind: group
        with: {n: "\${{ params.n }}"}
        tasks:
          inner:
            kind: group
            with: {n: "\${{ inputs.n }}", seed: 2}
            tasks:
              split: {kind: shell, run: echo, outputs: {x: integer}}
              fit: {kind: shell, run: echo, with: {x: "\${{ tasks.split.outputs.x }}", n: "\${{ inputs.n }}", seed: "\${{ inputs.seed }}"}}
      other: {kind: group, tasks: {first: {kind: shell, run: echo}}}
  `;
  const { model } = doc(moveInto(doc(text), ['outer/inner/fit'], 'other').text ?? '');
  const raw = (key: string) => model.tasks.get(key)?.raw;
  expect(raw('outer')).toEqual({ kind: 'group', outputs: { x: '${{ tasks.inner.outputs.x }}' } });
  expect(raw('outer/inner')).toEqual({ kind: 'group', outputs: { x: '${{ tasks.split.outputs.x }}' } });
  expect(raw('other')).toEqual({ kind: 'group', with: { x: '${{ tasks.outer.outputs.x }}' } });
  expect(raw('other/fit')?.with).toEqual({ x: '${{ inputs.x }}', n: '${{ params.n }}', seed: 2 });
});

test.each([
  ['a task between others of its group', ['outer/inner'], null, "'outer' would wait for itself, as 'inner' comes between its tasks."],
  ['what comes before something that comes before', ['load'], 'each', "'each' uses an output of these tasks in its 'over'"],
  ['a group into itself', ['outer'], 'outer/inner', "'outer' cannot move into itself."],
  ['into a task', ['send'], 'load', "'load' holds no tasks: choose a group."],
  ['what uses an item', ['each/one'], null, "'one' uses the item 'row' of 'each'"],
  ['what others wait for to fail', ['outer/report'], null, "'alarm' runs when 'outer' fails"],
])('refused in words: %s', (_, keys, scope, words) => {
  expect(() => moveInto(doc(NESTED), keys, scope)).toThrow(words);
});

test('a name that is taken inside is changed, and references follow', () => {
  const text = yaml`
    tasks:
      fit: {kind: shell, run: echo, outputs: {x: integer}}
      all: {kind: group, tasks: {fit: {kind: shell, run: echo}}}
      send: {kind: shell, run: echo, with: {x: "\${{ tasks.fit.outputs.x }}"}}
  `;
  const edit = moveInto(doc(text), ['fit'], 'all');
  const { model } = doc(edit.text ?? '');
  expect(edit.select).toEqual(['all/fit-2']);
  expect(model.tasks.get('all')?.raw.outputs).toEqual({ x: '${{ tasks.fit-2.outputs.x }}' });
  expect(model.tasks.get('send')?.raw.with).toEqual({ x: '${{ tasks.all.outputs.x }}' });
});

test('a name that is taken on the way only is kept', () => {
  const text = yaml`
    tasks:
      fit: {kind: shell, run: echo}
      one: {kind: group, tasks: {fit: {kind: shell, run: echo}, other: {kind: shell, run: echo}}}
      two: {kind: group, tasks: {other: {kind: shell, run: echo}}}
  `;
  expect(moveInto(doc(text), ['one/fit'], 'two').select).toEqual(['two/fit']);
});

test('nothing moves on the screen, and a group has room for what comes in at its side', () => {
  const layout = { tasks: { clean: { x: 0, y: 40 }, all: { x: 100, y: 100 }, 'all/fit': { x: 16, y: 40 } }, notes: {} };
  const moved = moveInto(doc(PLAIN, layout), ['clean'], 'all').layout?.tasks ?? {};
  const seen = (key: string) => ({ x: (moved.all?.x ?? 0) + (moved[key]?.x ?? 0), y: (moved.all?.y ?? 0) + (moved[key]?.y ?? 0) });
  expect(seen('all/clean')).toEqual({ x: 0, y: 40 });
  expect(seen('all/fit')).toEqual({ x: 116, y: 140 });
  expect(moved['all/clean']).toEqual({ x: 16, y: 40 });
});

test.skipIf(!hasServer)('wherever a task may move, the server finds nothing new to say of it', { timeout: 60_000 }, async () => {
  const server = new Server();
  const codesOf = async (text: string) => (await server.see(text)).problems.map(([code]) => code).toSorted();
  let moves = 0;
  for (const [name, text] of Object.entries(samples())) {
    const { model } = doc(text);
    const scopes = [null, ...[...model.tasks.values()].filter(({ scope }) => scope).map(({ key }) => key)];
    const before = await codesOf(text);
    for (const { key, parent } of model.tasks.values()) {
      for (const scope of scopes.filter((each) => each !== parent)) {
        const moved = attempt(text, key, scope);
        if (moved === null) continue;
        moves += 1;
        const fresh = [...(await codesOf(moved))];
        for (const code of before) if (fresh.includes(code)) fresh.splice(fresh.indexOf(code), 1);
        expect(fresh, `${name}: ${key} into ${scope ?? 'the pipeline'}\n${moved}`).toEqual([]);
      }
    }
  }
  server.close();
  expect(moves).toBeGreaterThan(10);
});

function attempt(text: string, key: string, scope: string | null): string | null {
  try {
    return moveInto(doc(text), [key], scope).text ?? null;
  } catch (error) {
    if (error instanceof Refused) return null;
    throw error;
  }
}
