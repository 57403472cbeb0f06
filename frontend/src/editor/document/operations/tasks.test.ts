import { describe, expect, test } from 'vitest';
import { after, changes, doc, yaml } from '../testing/edits';
import { addTask, copy, duplicate, group, paste, removeTasks, renameParameter, renameTask, ungroup } from '../operations';

const TEXT = yaml`
  schema: orchestrator/v1
  parameters:
    rate: {type: number}
  tasks:
    # loads everything
    load: {kind: shell, run: echo, outputs: {table: table, rows: integer}}

    clean: # tidy
      kind: shell
      run: echo
      needs: [load, {task: check, on: always}]
      with:
        table: "\${{ tasks.load.outputs.table }}"
        note: "\${{ tasks.load.outputs.rows }} rows at \${{ params.rate }}"
      outputs: {table: table}

    # looks
    check:
      kind: shell
      run: echo
      when: tasks.load.outputs.rows > params.rate && "tasks.load.outputs.rows" != ""
`.replaceAll('\\$', '$');

describe('a new task', () => {
  test('has a free name, stands below the others and is selected', () => {
    const edit = addTask(doc(TEXT), { entry: { kind: 'shell', run: 'x' }, name: 'load', spot: { x: 1, y: 2 } });
    expect(edit.text).toBe(`${TEXT}\n  load-2:\n    kind: shell\n    run: x\n`);
    expect(edit).toMatchObject({ select: ['load-2'], layout: { tasks: { 'load-2': { x: 1, y: 2 } } } });
  });

  test('of a block is named like it, linked, and brings its code location', () => {
    const entry = { kind: 'python', run: 'digits:train' };
    const connect = { from: { task: 'load', output: 'table' }, input: 'table' };
    expect(changes(TEXT, (now) => addTask(now, { entry, connect, location: 'demo' }))).toContain(
      '+code: {location: demo, follow: published}\n',
    );
    expect(after(TEXT, (now) => addTask(now, { entry, connect }))).toMatch(
      /\n {2}train:\n {4}kind: python\n {4}run: digits:train\n {4}with:\n {6}table: "\$\{\{ tasks.load.outputs.table \}\}"\n$/,
    );
  });

  test('begins an empty document', () => {
    expect(after('', (now) => addTask(now, { entry: { kind: 'shell', run: 'x' } }))).toBe(
      'schema: orchestrator/v1\ntasks:\n  shell:\n    kind: shell\n    run: x\n',
    );
  });
});

describe('a task that goes', () => {
  test('takes its comments and links with it; longer texts and conditions stay', () => {
    const left = after(TEXT, (now) => removeTasks(now, ['load']));
    expect(left).not.toContain('loads everything');
    expect(left).toContain('needs: [{task: check, on: always}]\n    with:\n      note: "${{ tasks.load.outputs.rows }} rows');
    expect(left).toContain('when: tasks.load.outputs.rows > params.rate');
    expect(left).toContain('tasks:\n  clean: # tidy\n');
  });

  test('leaves a document that can be filled again', () => {
    expect(after(TEXT, (now) => removeTasks(now, ['load', 'clean', 'check']))).toMatch(/\ntasks: \{\}\n$/);
  });
});

describe('another name', () => {
  test('is followed by values, needs and conditions, not by strings', () => {
    const renamed = after(TEXT, (now) => renameTask(now, 'load', 'read-all'));
    expect(renamed).toBe(
      TEXT.replace('  load:', '  read-all:')
        .replace('[load,', '[read-all,')
        .replaceAll('{{ tasks.load.', '{{ tasks.read-all.')
        .replace('when: tasks.load.', 'when: tasks.read-all.'),
    );
  });

  test('moves the places of the task and of what is inside it', () => {
    const layout = { tasks: { g: { x: 1, y: 1 }, 'g/a': { x: 2, y: 2 }, gg: { x: 3, y: 3 } }, notes: {} };
    const edit = renameTask(doc('tasks:\n  g: {kind: group, tasks: {a: {kind: shell}}}\n  gg: {kind: shell}\n', layout), 'g', 'h');
    expect(Object.keys(edit.layout?.tasks ?? {})).toEqual(['h', 'h/a', 'gg']);
  });

  test('that is taken or impossible is refused', () => {
    expect(() => renameTask(doc(TEXT), 'load', 'check')).toThrow("There is a task 'check' already: choose another name.");
    expect(() => renameTask(doc(TEXT), 'load', 'a b')).toThrow("'a b' cannot name a task");
  });

  test('of a parameter is followed everywhere', () => {
    const renamed = after(TEXT, (now) => renameParameter(now, 'rate', 'speed'));
    expect(renamed).toBe(TEXT.replace('  rate:', '  speed:').replaceAll('params.rate', 'params.speed'));
  });
});

describe('a group', () => {
  test('takes what its tasks take and gives what they give', () => {
    const grouped = after(TEXT, (now) => group(now, ['clean', 'check'], 'prepare'));
    expect(grouped).toContain(
      yaml`
        prepare:
          kind: group
          needs: [load]
          with:
            table: "\${{ tasks.load.outputs.table }}"
            rows: "\${{ tasks.load.outputs.rows }}"
          tasks:
            clean: # tidy
      `
        .replaceAll('\\$', '$')
        .replaceAll(/^(?=.)/gm, '  '),
    );
    expect(grouped).toContain('        table: "${{ inputs.table }}"\n');
    expect(grouped).toContain('        note: "${{ inputs.rows }} rows at ${{ params.rate }}"\n');
    expect(grouped).toContain('        when: inputs.rows > params.rate && "tasks.load.outputs.rows" != ""\n');
    expect(grouped).toContain('\n\n      # looks\n      check:\n');
  });

  test('of one task and taken apart again says the same', () => {
    const grouped = after(TEXT, (now) => group(now, ['load']));
    expect(grouped).toContain('outputs:\n      table: "${{ tasks.load.outputs.table }}"\n      rows: "${{ tasks.load.outputs.rows }}"');
    expect(grouped).toContain('needs: [group, {task: check, on: always}]');
    expect(after(grouped, (now) => ungroup(now, 'group'))).toBe(TEXT);
  });

  test('around which a task would wait for it and be waited for is refused', () => {
    const text = 'tasks:\n  a: {kind: shell}\n  b: {kind: shell, needs: [a]}\n  c: {kind: shell, needs: [b]}\n';
    expect(() => group(doc(text), ['a', 'c'])).toThrow("as 'b' comes between its tasks. Add 'b' to it.");
  });

  test('stands where its tasks stood, and they keep their places in it', () => {
    const layout = { tasks: { load: { x: 0, y: 0 }, clean: { x: 300, y: 100 }, check: { x: 500, y: 80 } }, notes: {} };
    const edit = group(doc(TEXT, layout), ['clean', 'check']);
    expect(edit.layout?.tasks).toEqual({
      load: { x: 0, y: 0 },
      group: { x: 300, y: 80 },
      'group/clean': { x: 16, y: 60 },
      'group/check': { x: 216, y: 40 },
    });
    expect(ungroup({ ...doc(edit.text ?? '', edit.layout) }, 'group').layout?.tasks).toEqual(layout.tasks);
  });

  test('leaves what was said about it above its first task', () => {
    const text = yaml`
      tasks:
        # the whole
        g: # so called
          kind: group
          title: "a # b"
          with:
            n: 1 # of them
          tasks: # inside
            # the first
            a: {kind: shell, run: "echo #"} # its own
          # at the end
        b: {kind: shell}
    `;
    expect(after(text, (now) => ungroup(now, 'g'))).toBe(yaml`
      tasks:
        # the whole
        # so called
        # of them
        # inside
        # at the end
        # the first
        a: {kind: shell, run: "echo #"} # its own
        b: {kind: shell}
    `);
  });

  test('that is waited for on failure cannot be taken apart', () => {
    const text = 'tasks:\n  g: {kind: group, tasks: {a: {kind: shell}, b: {kind: shell}}}\n  c: {kind: shell, needs: [{task: g, on: failure}]}\n';
    expect(() => ungroup(doc(text), 'g')).toThrow("'c' runs when 'g' fails, which cannot be said of its tasks one by one.");
  });
});

describe('copied tasks', () => {
  const layout = { tasks: { clean: { x: 300, y: 100 }, check: { x: 500, y: 80 } }, notes: {} };

  test('are YAML with their places, as they are written', () => {
    expect(copy(doc(TEXT, layout), ['check'])).toBe(
      yaml`
        tasks:
          # looks
          check:
            kind: shell
            run: echo
            when: tasks.load.outputs.rows > params.rate && "tasks.load.outputs.rows" != ""
        layout:
          check: {x: 500, y: 80}
      `,
    );
  });

  test('get free names, which they use among each other; what was not copied stays named as it was', () => {
    const edit = duplicate(doc(TEXT, layout), ['clean', 'check']);
    expect(edit.select).toEqual(['clean-2', 'check-2']);
    expect(edit.text).toContain('  clean-2: # tidy\n    kind: shell\n    run: echo\n    needs: [load, {task: check-2, on: always}]\n');
    expect(edit.layout?.tasks).toMatchObject({ 'clean-2': { x: 340, y: 140 }, 'check-2': { x: 540, y: 120 } });
  });

  test('can be pasted into another pipeline, at a place', () => {
    const copied = copy(doc(TEXT, layout), ['clean', 'check']);
    const edit = paste(doc('tasks: {}\n'), copied, { x: 10, y: 10 });
    expect(edit.text).toContain('tasks:\n  clean: # tidy\n');
    expect(edit.layout?.tasks).toEqual({ clean: { x: 10, y: 30 }, check: { x: 210, y: 10 } });
  });

  test('that are none are refused', () => {
    expect(() => paste(doc(TEXT), 'Hello')).toThrow('What was copied holds no tasks.');
  });
});
