import type { Model, Port, Problem, Signature, TaskModel } from '../editor/types';

/* What the fake server makes of code in a document: the last `def`, simple hints, and `= =` as the one error it knows. */

const TYPES: Readonly<Record<string, string>> = { int: 'integer', float: 'number', str: 'string', bool: 'boolean', dict: 'json', 'pa.Table': 'table' };
const DEF = /^def (\w+)\(([^)]*)\)(?: -> ([\w.]+))?:/gm;
const WRONG = '= =';

type Coded = TaskModel & { raw: { source: string } };

function coded({ tasks }: Model): Coded[] {
  return [...tasks.values()].filter((task): task is Coded => typeof task.raw.source === 'string');
}

export function signaturesOf(model: Model): Record<string, Signature> {
  const read = coded(model).map(({ key, raw }) => [key, signatureOf(raw.source)] as const);
  return Object.fromEntries(read.flatMap(([key, signature]) => (signature ? [[key, signature]] : [])));
}

function signatureOf(source: string): Signature | null {
  const [, name, inputs = '', output] = [...source.matchAll(DEF)].at(-1) ?? [];
  if (name === undefined || source.includes(WRONG)) return null;
  const outputs = [{ name: 'result', type: typeOf(output), required: false }];
  return { name, doc: '', inputs: inputs.split(',').filter((input) => input.trim()).map(portOf), outputs, open: false, problem: '' };
}

function portOf(written: string): Port {
  const [declared = '', given] = written.split('=');
  const [name = '', hint] = declared.split(':');
  return { name: name.trim(), type: typeOf(hint), required: given === undefined };
}

function typeOf(hint = ''): string {
  return TYPES[hint.trim()] ?? 'any';
}

export function codeProblemsOf(model: Model, document: string): Problem[] {
  const lines = document.split('\n');
  return coded(model).flatMap(({ path, line, raw }): Problem[] => {
    const wrong = raw.source.split('\n').findIndex((written) => written.includes(WRONG));
    if (wrong < 0) return [];
    const start = lines.findIndex((written, number) => number >= line && /^\s*source:/.test(written)) + 1;
    const params = { source_line: wrong + 1, source_column: 1 };
    const message = 'The code of `source` cannot be used: invalid syntax.';
    return [{ severity: 'error', code: 'bad-source', path: `${path}.source`, line: start + wrong + 1, column: 1, message, params }];
  });
}
