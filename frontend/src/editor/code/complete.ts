import type { CompletionContext, CompletionResult, CompletionSource } from '@codemirror/autocomplete';
import { schemasOf } from '../here';
import { around } from '../problems';
import type { EditorState } from '../store';
import type { JsonMap, TaskModel } from '../types';

/* What can be written next: names inside of `${{ }}`, and the keys of a task at the beginning of a line. */

interface Choice {
  label: string;
  detail?: string;
}

/** Completion out of the document and the catalogue, as they are when it is asked. */
export function completion(now: () => EditorState): CompletionSource {
  return (context) => reference(context, now()) ?? key(context, now());
}

function lineBefore({ state, pos }: CompletionContext): { before: string; number: number } {
  const line = state.doc.lineAt(pos);
  return { before: line.text.slice(0, pos - line.from), number: line.number };
}

// --- references -----------------------------------------------------------------------------------------------

function reference(context: CompletionContext, state: EditorState): CompletionResult | null {
  const { before, number } = lineBefore(context);
  const open = /\$\{\{\s*([\w.-]*)$/.exec(before)?.[1] ?? /^\s*when:.*?(?<![\w.])([\w.-]*)$/.exec(before)?.[1];
  if (open === undefined) return null;
  const parts = open.split('.');
  const word = parts.pop() ?? '';
  const options = namesAfter(parts, around(number, state.doc.model), state);
  return { from: context.pos - word.length, options, validFor: /^[\w-]*$/ };
}

function namesAfter(parts: string[], task: TaskModel | null, state: EditorState): Choice[] {
  const [root, name, outputs] = parts;
  const { model } = state.doc;
  if (root === undefined) return roots(task);
  if (root === 'params' && name === undefined) {
    return Object.entries(model.parameters).map(([label, { type }]) => ({ label, detail: type }));
  }
  if (root === 'secrets' && name === undefined) return state.catalogue.secrets.map((label) => ({ label }));
  if (root === 'inputs' && name === undefined) return keysOf(task?.parent ? model.tasks.get(task.parent)?.raw.with : undefined);
  if (root !== 'tasks') return [];
  if (name === undefined) return siblings(task, state);
  if (outputs === undefined) return [{ label: 'outputs' }];
  return outputs === 'outputs' && parts.length === 3 ? outputsOf(name, task, state) : [];
}

function roots(task: TaskModel | null): Choice[] {
  return [
    { label: 'tasks', detail: 'outputs of a task' },
    { label: 'params', detail: 'of the run' },
    { label: 'secrets', detail: 'of the team' },
    ...(task?.parent ? [{ label: 'inputs', detail: 'of the scope' }] : []),
  ];
}

function siblings(task: TaskModel | null, { doc }: EditorState): Choice[] {
  const parent = task?.parent ?? null;
  return [...doc.model.tasks.values()]
    .filter((other) => other.parent === parent && other.key !== task?.key)
    .map(({ name, kind }) => ({ label: name, detail: kind }));
}

function outputsOf(name: string, task: TaskModel | null, { judged }: EditorState): Choice[] {
  const key = task?.parent ? `${task.parent}/${name}` : name;
  const found = judged?.graph?.tasks.find((other) => other.key === key);
  return (found?.outputs ?? []).map((port) => ({ label: port.name, detail: port.type }));
}

function keysOf(value: unknown): Choice[] {
  return typeof value === 'object' && value !== null ? Object.keys(value).map((label) => ({ label })) : [];
}

// --- keys of a task -------------------------------------------------------------------------------------------

function key(context: CompletionContext, state: EditorState): CompletionResult | null {
  const { before, number } = lineBefore(context);
  const word = /^\s*([a-z_]*)$/.exec(before)?.[1];
  if (word === undefined || (word === '' && !context.explicit)) return null;
  const task = around(number, state.doc.model);
  if (!task || indentOf(before) !== indentOf(context.state.doc.line(task.line).text) + 2) return null;
  const options = keysFor(task, state).filter(({ label }) => !(label in task.raw));
  return { from: context.pos - word.length, options: options.map((choice) => ({ ...choice, apply: `${choice.label}: ` })) };
}

function keysFor(task: TaskModel, { catalogue }: EditorState): Choice[] {
  return Object.entries(schemasOf(task, catalogue)).map(([label, schema]) => ({ label, ...detailOf(schema) }));
}

function detailOf({ title }: JsonMap): { detail?: string } {
  return typeof title === 'string' ? { detail: title } : {};
}

function indentOf(line: string): number {
  return line.length - line.trimStart().length;
}
