import type { Port } from '../types';

/* The first lines of code written into a document: a function whose arguments are the task's inputs. */

const HINTS: Readonly<Record<string, string>> = {
  integer: 'int',
  number: 'float',
  string: 'str',
  boolean: 'bool',
  json: 'dict',
  table: 'pa.Table',
  array: 'np.ndarray',
  file: 'Path',
  folder: 'Annotated[Path, "folder"]',
};

const IMPORTS: readonly (readonly [RegExp, string])[] = [
  [/\bPath\b/, 'from pathlib import Path'],
  [/\bAnnotated\b/, 'from typing import Annotated'],
  [/\bnp\./, 'import numpy as np'],
  [/\bpa\./, 'import pyarrow as pa'],
];

const KEYWORDS: ReadonlySet<string> = new Set(
  (
    'False None True and as assert async await break class continue def del elif else except finally for from global if import in is ' +
    'lambda nonlocal not or pass raise return try while with yield'
  ).split(' '),
);

const TABLE: Port = { name: 'table', type: 'table', required: true };

/** Code for a task of this name that already has these inputs; without any it takes and gives a table. */
export function template(name: string, inputs: readonly Port[]): string {
  const [first, ...others] = inputs.length > 0 ? inputs : [TABLE];
  if (!first) return '';
  const hint = HINTS[first.type];
  const signature = `def ${identifier(name)}(${[first, ...others].map(argument).join(', ')})${hint ? ` -> ${hint}` : ''}:`;
  const imports = IMPORTS.filter(([used]) => used.test(signature)).map(([, line]) => line);
  return [
    ...imports,
    ...(imports.length > 0 ? ['', ''] : []),
    '# The arguments are the inputs of this task, what is returned is its output, called result.',
    '# Their types say what may be linked: a table, or int, float, str, bool, dict, Path and others.',
    signature,
    '    """What this task does, in one line."""',
    `    return ${identifier(first.name)}`,
    '',
  ].join('\n');
}

function argument({ name, type }: Port): string {
  const hint = HINTS[type];
  return hint ? `${identifier(name)}: ${hint}` : identifier(name);
}

/** The nearest name that Python takes. */
function identifier(name: string): string {
  const word = name.replace(/\W/g, '_');
  if (KEYWORDS.has(word)) return `${word}_`;
  return /^[A-Za-z]/.test(word) ? word : `task_${word.replace(/^_+/, '')}`;
}
