import { describe, expect, test } from 'vitest';
import { after, changes, doc, yaml } from '../testing/edits';
import { Refused } from '../../types';
import { setField, setHead, setWhen } from './fields';

const TASK = yaml`
  tasks:
    train: # the network
      kind: shell
      run: |
        echo one
      retries: {limit: 1}   # few
      with:
        # how fast
        rate: 0.10   # slowly
        name: 'it''s'
`;

describe('a value', () => {
  test('is replaced with its comments, its quotes and all else left alone', () => {
    expect(changes(TASK, (now) => setField(now, 'train', 'with.rate', 0.5))).toBe(
      '-      rate: 0.10   # slowly\n+      rate: 0.5   # slowly',
    );
    expect(changes(TASK, (now) => setField(now, 'train', 'with.name', "that's"))).toBe(
      "-      name: 'it''s'\n+      name: 'that''s'",
    );
  });

  test('that is the same already is left as it is written', () => {
    expect(after(TASK, (now) => setField(now, 'train', 'with.rate', 0.1))).toBe(TASK);
  });

  test('of several lines is written as a block, with the indentation of the old one', () => {
    expect(changes(TASK, (now) => setField(now, 'train', 'run', 'echo one\necho two\n'))).toBe('+      echo two');
    expect(changes(TASK, (now) => setField(now, 'train', 'with.rate', 'one\ntwo'))).toBe(
      '-      rate: 0.10   # slowly\n+      rate: |-   # slowly\n+        one\n+        two',
    );
  });

  test('within brackets is written there', () => {
    expect(changes(TASK, (now) => setField(now, 'train', 'retries.cap', '5m'))).toBe(
      '-    retries: {limit: 1}   # few\n+    retries: {limit: 1, cap: 5m}   # few',
    );
    expect(changes(TASK, (now) => setField(now, 'train', 'retries.note', 'a, b'))).toContain('{limit: 1, note: "a, b"}');
  });

  test('of a new key comes where people write it', () => {
    expect(changes(TASK, (now) => setField(now, 'train', 'title', 'Train'))).toBe('+    title: Train');
    expect(after(TASK, (now) => setField(now, 'train', 'title', 'Train'))).toContain('kind: shell\n    title: Train\n    run: |');
    expect(after(TASK, (now) => setField(now, 'train', 'needs', ['a']))).toContain('# few\n    needs: [a]\n    with:');
  });

  test('that goes takes what it leaves empty with it', () => {
    expect(changes(TASK, (now) => setField(now, 'train', 'retries.limit', undefined))).toBe('-    retries: {limit: 1}   # few');
    const left = after(TASK, (now) => setField(now, 'train', 'with.rate', undefined));
    expect(after(left, (now) => setField(now, 'train', 'with.name', undefined))).not.toContain('with');
  });

  test('keeps the line ends of Windows', () => {
    const text = TASK.replaceAll('\n', '\r\n');
    const changed = after(text, (now) => setField(now, 'train', 'with.note', 'a\nb\n'));
    expect(changed).toBe(`${text}      note: |\r\n        a\r\n        b\r\n`);
  });
});

describe('a text', () => {
  test.each([
    ['on', '"on"'],
    ['yes', '"yes"'],
    ['0x1f', '"0x1f"'],
    ['12', '"12"'],
    ['', '""'],
    ['null', '"null"'],
    ['2026-12-25', '"2026-12-25"'],
    ['a: b', '"a: b"'],
    ['${{ params.rate }}', '"${{ params.rate }}"'],
    ['say "hi"', 'say "hi"'],
    ['"quoted"', `'"quoted"'`],
    ['digits:train', 'digits:train'],
    ['30s', '30s'],
    ['it is # not', '"it is # not"'],
    ['tab\t', '"tab\\t"'],
  ])('%j is written %s', (value, written) => {
    expect(after('tasks:\n  a:\n    kind: shell\n', (now) => setField(now, 'a', 'title', value))).toBe(
      `tasks:\n  a:\n    kind: shell\n    title: ${written}\n`,
    );
  });
});

describe('the head', () => {
  test('gets its keys in the usual order', () => {
    const text = 'schema: orchestrator/v1\nname: x\n\ntasks: {}\n';
    expect(after(text, (now) => setHead(now, 'title', 'T'))).toBe('schema: orchestrator/v1\nname: x\ntitle: T\n\ntasks: {}\n');
    expect(after(text, (now) => setHead(now, 'parameters.rate', { type: 'number', default: 1 }))).toBe(
      'schema: orchestrator/v1\nname: x\nparameters:\n  rate: {type: number, default: 1}\n\ntasks: {}\n',
    );
  });

  test('of nothing can be begun', () => {
    expect(after('', (now) => setHead(now, 'name', 'x'))).toBe('name: x\n');
  });
});

test('an empty condition is none', () => {
  const text = 'tasks:\n  a: {kind: shell, when: "true"}\n';
  expect(after(text, (now) => setWhen(now, 'a', ' '))).toBe('tasks:\n  a: {kind: shell}\n');
});

test('a text that cannot be read is not edited', () => {
  const broken = { ...doc(TASK), broken: [{ severity: 'error', code: 'yaml-syntax', path: '', line: 12, column: 1, message: 'A quote is open.', params: {} }] };
  expect(() => setField(broken, 'train', 'title', 'x')).toThrow(new Refused('Fix the YAML first: line 12, A quote is open.'));
});
