import { expect, test } from 'vitest';
import { after, changes, doc, yaml } from '../testing/edits';
import { connect, connectOrder, disconnect, setRule } from './connect';

const TEXT = yaml`
  tasks:
    a: {kind: shell, outputs: {x: integer}}
    b:
      kind: shell
      needs:
      - a   # first
      with: {x: 1, y: "n: \${{ tasks.a.outputs.x }}"}
    c:
      kind: shell
      when: tasks.b.outputs.z > 1
`.replaceAll('\\$', '$');

const idOf = (place: string, to: string, text = TEXT) => doc(text).model.links.find((link) => link.place === place && link.to === to)!.id;

test('an output becomes the value of an input', () => {
  expect(changes(TEXT, (now) => connect(now, { task: 'a', output: 'x' }, { task: 'c', input: 'n' }))).toBe(
    '+    with:\n+      n: "${{ tasks.a.outputs.x }}"',
  );
  expect(after(TEXT, (now) => connect(now, { task: 'a', output: 'x' }, { task: 'b', input: 'x' }))).toContain(
    'with: {x: "${{ tasks.a.outputs.x }}", y: ',
  );
});

test('an input that has a link keeps it unless it is to be replaced', () => {
  const from = { task: 'a', output: 'x' };
  expect(() => connect(doc(TEXT), from, { task: 'b', input: 'y' })).toThrow("'y' of 'b' has a link already: remove that one first.");
  expect(after(TEXT, (now) => connect(now, from, { task: 'b', input: 'y' }, { replace: true }))).toContain('y: "${{ tasks.a.outputs.x }}"');
});

test('tasks that would wait for each other are not linked', () => {
  expect(() => connect(doc(TEXT), { task: 'c', output: 'x' }, { task: 'a', input: 'x' })).toThrow('they would wait for each other');
  expect(() => connectOrder(doc(TEXT), 'b', 'b')).toThrow("'b' cannot wait for itself.");
});

test('a task waits for another on a rule', () => {
  expect(changes(TEXT, (now) => connectOrder(now, 'a', 'c', 'failure'))).toBe('+    needs: [{task: a, on: failure}]');
  expect(() => connectOrder(doc(TEXT), 'b', 'c', 'failure')).toThrow("'c' uses an output of 'b', which there is on success only");
});

test('the rule of an order link is changed where it stands', () => {
  const text = after(TEXT, (now) => connectOrder(now, 'a', 'c', 'failure'));
  expect(after(text, (now) => setRule(now, idOf('needs.0', 'c', text), 'always'))).toContain('needs: [{task: a, on: always}]');
  expect(after(text, (now) => setRule(now, idOf('needs.0', 'c', text), 'success'))).toContain('needs: [a]');
  expect(() => setRule(doc(TEXT), idOf('needs.0', 'b'), 'always')).toThrow('which there is on success only');
});

test('a link goes with what it leaves empty', () => {
  expect(changes(TEXT, (now) => disconnect(now, [idOf('needs.0', 'b')]))).toBe('-    needs:\n-    - a   # first');
});

test('a link that is part of a text or of a condition is told, not cut out', () => {
  expect(() => disconnect(doc(TEXT), [idOf('with.y', 'b')])).toThrow("The output of 'a' is part of a longer text in 'b' (with.y)");
  expect(() => disconnect(doc(TEXT), [idOf('when', 'c')])).toThrow("'b' is named in the condition of 'c': change the condition.");
});
