import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/* Documents in the styles that people write, for tests. Comments are numbered, so that a lost one is found. */

export const REPOSITORY = join(import.meta.dirname, '../../../../..');

export function repositoryFile(path: string): string {
  return readFileSync(join(REPOSITORY, path), 'utf8');
}

export const FLOW = `# c1 the pipeline
schema: orchestrator/v1
name: flow-style
parameters: {rate: {type: number, default: 0.1}, "on": {type: string, default: "yes"}} # c2
code: {location: demo}
tasks:
  load: {kind: shell, run: "echo a, b", outputs: {table: table, rows: integer}} # c3 loads
  # c4 above clean
  clean: {kind: shell, run: 'it''s', with: {table: "\${{ tasks.load.outputs.table }}", rate: "\${{ params.rate }}"}, outputs: {table: table}}
  train: {
    kind: shell, # c5
    run: echo,
    needs: [load, {task: clean, on: always}],
    with: {
      table: "\${{ tasks.load.outputs.table }}", # c6 the table
      note: "rows: \${{ tasks.load.outputs.rows }}" # c7
    },
    outputs: {model: model, loss: number}
  }
  judge: {kind: shell, run: echo, when: 'tasks.train.outputs.loss < params.rate && "tasks.load.outputs.rows" != ""', outputs: {}}
`;

export const BLOCK = `schema: orchestrator/v1
name: block-style

# c1 stands alone

parameters:
    # c2 about the rate
    rate:
        type: number
        default: 0.10
    on:
        type: boolean
        default: true

tasks:

    # c3 about load
    load:
        kind: shell    # c4 inline
        run: |
            # not a comment
            echo "a: b"

            echo done
        outputs:
            table: table
            rows: integer
        # c5 at the end of load

    # c6 alone between tasks

    clean:
        kind: python
        source: |-
            def clean(table, rate: float = 0.1):
                return table
        with:
            table: \${{ tasks.load.outputs.table }}
            rate: "\${{ params.rate }}" # c7

    train:
        kind: shell
        title: Train it
        run: >-
            echo one
            two
        needs:
        - clean   # c8
        - task: load
          on: always
        with:
            # c9 first of with
            a: 1

            b: [1, 2, "\${{ tasks.clean.outputs.result }}"]
            c:
                deep: "x \${{ tasks.clean.outputs.result }} y"
        outputs: {model: model, loss: number}
    # c10 right above judge
    # c11 too
    judge:
        kind: shell
        run: echo
        when: tasks["train"].outputs.loss < params.rate
# c12 the end`;

export const NESTED = `schema: orchestrator/v1
name: nested
title: Groups in groups # c1
parameters: {folds: {type: integer, default: 3}}
tasks:
  load:
    kind: shell
    run: echo
    outputs: {table: table, rows: integer}
  # c2 the outer group
  outer:
    kind: group
    needs: [{task: load, on: success}]
    with:
      table: "\${{ tasks.load.outputs.table }}" # c3
      rows: "\${{ tasks.load.outputs.rows }}"
      folds: "\${{ params.folds }}"
    # c4 before the inner tasks
    tasks:
      split: # c5
        kind: shell
        run: echo
        with: {table: "\${{ inputs.table }}"}
        outputs: {left: table, right: table}

      # c6 the inner group
      inner:
        kind: group
        with: {table: "\${{ tasks.split.outputs.left }}", folds: "\${{ inputs.folds }}"}
        tasks:
          fit: {kind: shell, run: echo, with: {t: "\${{ inputs.table }}", n: "\${{ inputs.folds }}"}, outputs: {model: model, loss: number}}
          score:
            kind: shell
            run: echo # c7
            when: tasks.fit.outputs.loss < 0.5 && inputs.folds > 1
            with: {model: "\${{ tasks.fit.outputs.model }}"}
            outputs: {score: number}
        outputs:
          score: "\${{ tasks.score.outputs.score }}"
      report:
        kind: shell
        run: echo
        needs: [inner]
        with: {score: "\${{ tasks.inner.outputs.score }}", right: "\${{ tasks.split.outputs.right }}"}
        outputs: {page: file}
    outputs:
      # c8 what is given
      page: "\${{ tasks.report.outputs.page }}"
      score: "\${{ tasks.inner.outputs.score }}"
  send:
    kind: shell
    run: echo
    when: "tasks.outer.outputs.score > 0.5"
    with: {page: "\${{ tasks.outer.outputs.page }}"}
  # c9 after send
  alarm: {kind: shell, run: echo, needs: [{task: outer, on: failure}]} # c10

  each:
    kind: map
    over: "\${{ tasks.load.outputs.rows }}"
    as: row
    tasks:
      one: {kind: shell, run: echo, with: {row: "\${{ row }}"}, outputs: {x: string}}
      two:
        kind: shell
        run: echo
        with: {x: "\${{ tasks.one.outputs.x }} and \${{ row }}"}
`;

export const ONE_LINE = `{schema: orchestrator/v1, name: one-line, parameters: {rate: {type: number, default: 1}}, tasks: {a: {kind: shell, run: echo, outputs: {x: integer}}, b: {kind: shell, run: echo, with: {x: "\${{ tasks.a.outputs.x }}", y: 'n: \${{ params.rate }}'}}}}`;

/** By name: every style, with the line ends of Windows too. */
export function samples(): Record<string, string> {
  return {
    digits: repositoryFile('pipelines/demo/digits-training.yaml'),
    cancer: repositoryFile('pipelines/demo/cancer-nightly.yaml'),
    flow: FLOW,
    block: BLOCK,
    nested: NESTED,
    windows: BLOCK.replaceAll('\n', '\r\n'),
    'one line': ONE_LINE,
    empty: 'schema: orchestrator/v1\nname: empty\ntasks: {} # c1\n',
    nothing: '',
  };
}
