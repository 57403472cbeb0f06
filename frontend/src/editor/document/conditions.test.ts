import { expect, test } from 'vitest';
import { mapNames, namesIn, outputsIn } from './conditions';

const partsOf = (text: string) => namesIn(text).map(({ parts }) => parts.join('.'));

test('a condition uses names', () => {
  expect(partsOf('tasks.evaluate.outputs.accuracy >= params.min && inputs.x')).toEqual([
    'tasks.evaluate.outputs.accuracy',
    'params.min',
    'inputs.x',
  ]);
});

test('a name of a task may hold a minus, which elsewhere subtracts', () => {
  expect(partsOf('tasks.train-all.outputs.x-tasks.b.outputs.y > params.a-params.b')).toEqual([
    'tasks.train-all.outputs.x',
    'tasks.b.outputs.y',
    'params.a',
    'params.b',
  ]);
});

test('strings and comments hold no names, indexes do', () => {
  expect(partsOf(`"tasks.a.outputs.b" == 'params.c' // tasks.d.outputs.e\n|| tasks["f"]['outputs'].g`)).toEqual(['tasks.f.outputs.g']);
  expect(partsOf(`"\\"tasks.a.outputs.b" == r'\\' + params.x + '\\' + params.y'`)).toEqual(['params.x']);
});

test('what follows a point or is called begins or ends no name', () => {
  expect(partsOf('x.tasks.a.outputs.b || tasks.a.outputs.size() > 1')).toEqual([]);
  expect(partsOf('tasks.a.outputs.name.startsWith("x")')).toEqual(['tasks.a.outputs.name']);
});

test('an output is used once however often it is named', () => {
  expect(outputsIn('tasks.a.outputs.x > 1 || tasks.a.outputs.x < 0')).toEqual([{ task: 'a', output: 'x' }]);
});

test('names are replaced and nothing else', () => {
  const rename = ([root, task]: readonly string[]) => (root === 'tasks' && task === 'a' ? 'inputs.x' : null);
  expect(mapNames('tasks.a.outputs.x > 1 && "tasks.a.outputs.x" != tasks["a"].outputs.x', rename)).toBe(
    'inputs.x > 1 && "tasks.a.outputs.x" != inputs.x',
  );
});
