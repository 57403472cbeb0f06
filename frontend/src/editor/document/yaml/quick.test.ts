import { describe, expect, test } from 'vitest';
import { chanceOf } from '../testing/gestures';
import { BLOCK, FLOW, NESTED } from '../testing/samples';

import { parseYaml } from './parse';
import { parseQuickly } from './quick';

const USUAL = `  train:
    kind: python
    run: learners:train
    title: Train, and look

    with:
      table: "\${{ tasks.clean.outputs.result }}"
      rates: [0.1, -2, 1e3, 'a, b', {deep: [true, null]}]
      nothing:
    needs: [load, {task: clean, on: always}]
    resources: {memory: 2 GiB, gpu: 1}
    outputs: {}
    timeout: 90s
`;
const ODD = ['#', ': ', ' ', '\n', '  ', '- ', '"', "'", '{', '}', '[', ']', ',', '&a ', '*a', '!x ', '|', '>', '?', '\\', '-', '.', '~', '0x1F', '.inf', '---\n', '%', '@', '`', 'é', '\t', ':', '1_000', '9'.repeat(20)];

/** Lines in which something odd was put in, taken out or written twice. */
function spoiled(text: string, pick: (below: number) => number): string {
  const lines = text.split('\n');
  const from = pick(lines.length);
  let piece = lines.slice(from, from + 1 + pick(8)).join('\n');
  for (let times = pick(4); times > 0; times -= 1) {
    const at = pick(piece.length + 1);
    piece = piece.slice(0, at) + (ODD[pick(ODD.length * 2)] ?? '') + piece.slice(at + pick(3));
  }
  return piece;
}

describe('what is read quickly', () => {
  test('is the usual way to write a task', () => {
    expect(parseQuickly(USUAL)).not.toBeNull();
    expect(parseQuickly(USUAL)).toEqual(parseYaml(USUAL));
  });

  test('is what the library reads, or left to it', () => {
    const chance = chanceOf(11);
    const pick = (below: number) => Math.floor(chance() * below);
    let read = 0;
    for (let round = 0; round < 12_000; round += 1) {
      const text = spoiled([USUAL, USUAL, BLOCK, FLOW, NESTED][pick(5)] ?? '', pick);
      const found = parseQuickly(text);
      if (found === null) continue;
      read += 1;
      expect(found, JSON.stringify(text)).toEqual(parseYaml(text));
    }
    expect(read).toBeGreaterThan(1000);
  });
});
