/* Documents to draw in the fake product. */

export const DIGITS = `# What the branch offices use: ask before changing the endpoint.
schema: orchestrator/v1
name: digits-training
title: Handwritten digits
description: Trains a network that reads handwritten digits, has a person approve it, and deploys it.
parameters:
  learning_rate: {type: number, default: 0.001, minimum: 0.00001, maximum: 1, description: How far the network moves at each step}
  epochs: {type: integer, default: 180, minimum: 1, maximum: 1000}
  min_accuracy: {type: number, default: 0.9, minimum: 0, maximum: 1, description: Deploy only what reads this share}
defaults: {queue: cpu, timeout: 30m}
code: {location: demo, follow: published}
tasks:
  ingest:
    kind: python
    title: Load the pictures
    run: digits:ingest
  check:
    kind: check
    title: Is the data sound?
    with: {table: "\${{ tasks.ingest.outputs.table }}"}
    checks:
      - {rows: {min: 1000}}
      - {column: label, between: [0, 9]}
    on_failure: block
  features:
    kind: python
    title: Build the features
    run: digits:features
    needs: [check]
    with: {table: "\${{ tasks.ingest.outputs.table }}"}
  train:
    kind: python
    title: Train the network
    run: digits:train
    queue: gpu
    # Two graphics cards fit this twice.
    resources: {memory: 2Gi}
    retries: {limit: 1}
    with:
      table: "\${{ tasks.features.outputs.table }}"
      learning_rate: "\${{ params.learning_rate }}"
      epochs: "\${{ params.epochs }}"
  evaluate:
    kind: python
    title: Test on unseen pictures
    run: digits:evaluate
    with:
      model: "\${{ tasks.train.outputs.model }}"
      table: "\${{ tasks.features.outputs.table }}"
  approve:
    kind: approval
    title: Good enough for people?
    needs: [evaluate]
    by: [approver]
    deadline: 24h
  register:
    kind: register
    title: Register the model
    needs: [approve]
    with:
      model: "\${{ tasks.train.outputs.model }}"
      name: digits
      metrics: "\${{ tasks.evaluate.outputs.metrics }}"
  deploy:
    kind: deploy
    title: Deploy to digits-prod
    when: "tasks.evaluate.outputs.accuracy >= params.min_accuracy"
    with:
      model: "\${{ tasks.register.outputs.version }}"
      endpoint: digits-prod
`;

/** Before it waited for a person, and with another size of the network. */
export const DIGITS_2 = DIGITS.replace(/  approve:\n(    .*\n)+/, '')
  .replace('    needs: [approve]\n', '')
  .replace('default: 180', 'default: 120')
  .replace('retries: {limit: 1}', 'retries: {limit: 3}\n    timeout: 10m');

/** Before it trained on graphics cards: it drew the features too. */
export const DIGITS_1 = `${DIGITS_2.replace('    queue: gpu\n', '')}  draw:
    kind: shell
    run: echo features
    needs: [features]
`;

export const NESTED = `schema: orchestrator/v1
name: nested-groups
title: Groups within groups
code: {location: demo, follow: published}
tasks:
  load:
    kind: shell
    run: echo 3 > "$OUT/rows"
    outputs: {rows: number}
  train-all:
    kind: group
    with: {rows: "\${{ tasks.load.outputs.rows }}"}
    tasks:
      prepare:
        kind: shell
        run: echo "$IN_ROWS" > "$OUT/rows"
        with: {rows: "\${{ inputs.rows }}"}
        outputs: {rows: number}
      small:
        kind: shell
        run: echo small
        needs: [prepare]
      tune:
        kind: group
        needs: [prepare]
        tasks:
          grid: {kind: shell, run: echo grid}
          pick: {kind: shell, run: echo pick, needs: [grid]}
  report:
    kind: shell
    run: echo done
    needs: [train-all]
  alarm:
    kind: shell
    run: echo failed >&2
    needs:
      - {task: train-all, on: failure}
`;

/** A document of so many small tasks, each waiting for the one fifty before. */
export function wideDocument(count: number): string {
  const task = (at: number) =>
    `  step-${at}:\n    kind: shell\n    run: echo ${at}\n${at >= 50 ? `    needs: [step-${at - 50}]\n` : ''}`;
  return `schema: orchestrator/v1\nname: wide\ntitle: A thousand tasks\ntasks:\n${Array.from({ length: count }, (_, at) => task(at)).join('')}`;
}
