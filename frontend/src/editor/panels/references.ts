import { portFits } from '../../graph/ports';
import { beyond } from '../../graph/judge';
import { onlyReference, outputReference, inputReference } from '../document/references';
import { mapOf, portsOf, type Known } from '../ports';
import type { Json, Port, TaskModel } from '../types';

/* What a field of a task may refer to, and how a reference reads. Pure. */

export type Source = 'output' | 'parameter' | 'input' | 'item' | 'secret';

export interface Candidate {
  /** As it is written: `${{ tasks.read.outputs.table }}`. */
  readonly text: string;
  readonly source: Source;
  /** The task that gives it; empty for the others. */
  readonly producer: string;
  readonly kind: string;
  readonly name: string;
  readonly type: string;
}

/** What fits an input of a task, the likeliest first. */
export function candidatesFor(task: TaskModel, port: Port, known: Known): Candidate[] {
  const fitting = [...within(task, known), ...secretsFor(task, port, known)].filter(({ source, type }) =>
    source === 'secret' ? true : portFits(type, port),
  );
  return fitting.map((candidate, no) => ({ candidate, no, score: scoreOf(candidate, port) })).sort(best).map(({ candidate }) => candidate);
}

/** What a condition of a task may name: values, not files. */
export function namesFor(task: TaskModel, known: Known): Candidate[] {
  return within(task, known)
    .filter(({ source, type }) => source !== 'item' && INLINE.has(type))
    .map((candidate) => ({ ...candidate, text: candidate.text.replace(/^\$\{\{\s*|\s*\}\}$/g, '') }));
}

const INLINE: ReadonlySet<string> = new Set(['integer', 'number', 'string', 'boolean', 'json', 'any']);

interface Scored {
  candidate: Candidate;
  no: number;
  score: number;
}

const best = (one: Scored, other: Scored) => other.score - one.score || one.no - other.no;

/** The same name and the same type before what only fits; what is known before what is not. */
function scoreOf({ name, type, source }: Candidate, port: Port): number {
  const named = name === port.name ? 4 : 0;
  const typed = type === port.type ? 2 : type === 'any' ? 0 : 1;
  return named + typed - (source === 'secret' ? 8 : 0);
}

function within(task: TaskModel, known: Known): Candidate[] {
  return [...outputsBefore(task, known), ...inputsOfScope(task, known), ...parametersOf(known)];
}

/** Outputs of tasks of the same scope that do not already come after it. */
function outputsBefore(task: TaskModel, known: Known): Candidate[] {
  const { model } = known;
  const after = beyond(model.links, task.key, 'down');
  const before = [...model.tasks.values()].filter(({ key, parent }) => parent === task.parent && key !== task.key && !after.has(key));
  return before.flatMap((other) => outputsOf(other, known));
}

function outputsOf({ key, name: producer, kind }: TaskModel, known: Known): Candidate[] {
  return portsOf(key, known).outputs.map(({ name, type }) => ({
    text: outputReference(producer, name),
    source: 'output',
    producer,
    kind,
    name,
    type,
  }));
}

/** `outputs` of a scope refer to the tasks inside of it. */
export function outputsInside(scope: TaskModel, known: Known): Candidate[] {
  const inside = [...known.model.tasks.values()].filter(({ parent }) => parent === scope.key);
  return inside.flatMap((task) => outputsOf(task, known));
}

function inputsOfScope(task: TaskModel, known: Known): Candidate[] {
  const scope = task.parent === null ? undefined : known.model.tasks.get(task.parent);
  if (!scope) return [];
  const inputs = portsOf(scope.key, known).inputs.map(({ name, type }): Candidate => ({ ...plain('input', name, type), text: inputReference(name) }));
  const item = scope.raw.as;
  return typeof item === 'string' ? [...inputs, { ...plain('item', item, 'any'), text: `\${{ ${item} }}` }] : inputs;
}

function parametersOf({ model }: Known): Candidate[] {
  return Object.entries(model.parameters).map(([name, spec]) => ({ ...plain('parameter', name, spec.type), text: `\${{ params.${name} }}` }));
}

function secretsFor(task: TaskModel, port: Port, { catalogue }: Known): Candidate[] {
  if (!catalogue.kinds.get(task.kind)?.takesSecrets || !portFits('string', port)) return [];
  return catalogue.secrets.map((name) => ({ ...plain('secret', name, 'string'), text: `\${{ secrets.${name} }}` }));
}

function plain(source: Source, name: string, type: string) {
  return { source, producer: '', kind: '', name, type };
}

export interface Referred {
  readonly source: Source;
  readonly producer: string;
  /** The kind of the task that gives it; empty when there is no such task. */
  readonly kind: string;
  readonly name: string;
  /** Names something that is not there. */
  readonly missing: boolean;
}

/** What a value refers to when it is one whole reference, else null. */
export function referredBy(value: Json | undefined, scope: string | null, { model }: Pick<Known, 'model'>): Referred | null {
  const reference = onlyReference(value);
  if (!reference) return null;
  const { root, name, output } = reference;
  if (root !== 'tasks') {
    const missing = root === 'params' ? !(name in model.parameters) : root === 'inputs' && !hasInput(scope, name, model);
    return { source: SOURCES[root], producer: '', kind: '', name, missing };
  }
  const producer = model.tasks.get(scope === null ? name : `${scope}/${name}`);
  return { source: 'output', producer: name, kind: producer?.kind ?? '', name: output, missing: !producer };
}

const SOURCES = { params: 'parameter', inputs: 'input', secrets: 'secret', item: 'item' } as const;

function hasInput(scope: string | null, name: string, model: Known['model']): boolean {
  return scope !== null && name in mapOf(model.tasks.get(scope)?.raw.with);
}
