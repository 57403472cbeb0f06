/** What fits what, as pipelines/ports.py has it. Pure. */

export interface PortLike {
  readonly name: string;
  readonly type: string;
  readonly required: boolean;
  /** Further types that an input takes beside its own. */
  readonly accepts?: readonly string[] | undefined;
}

const SCALARS: ReadonlySet<string> = new Set(['integer', 'number', 'string', 'boolean']);

/** Values that are written in a form as easily as they are linked. */
export function isScalar(type: string): boolean {
  return SCALARS.has(type);
}

/** May a value of the type `given` go into an input of the type `wanted`? What is only known as `any` is seen at the first run. */
export function fits(given: string, wanted: string): boolean {
  return given === wanted || wanted === 'any' || given === 'any' || (given === 'integer' && wanted === 'number');
}

/** Like `fits`, with the further types that the input accepts. */
export function portFits(given: string, { type, accepts = [] }: PortLike): boolean {
  return fits(given, type) || accepts.some((other) => fits(given, other));
}

export type Family = 'order' | 'number' | 'string' | 'boolean' | 'json' | 'table' | 'array' | 'model' | 'file' | 'image' | 'any';

const FAMILIES: Readonly<Record<string, Family>> = {
  integer: 'number',
  number: 'number',
  string: 'string',
  boolean: 'boolean',
  json: 'json',
  table: 'table',
  array: 'array',
  model: 'model',
  file: 'file',
  folder: 'file',
  image: 'image',
};

/** Types of one family look the same. A type that is not known looks like `any`. */
export function familyOf(type: string | null): Family {
  return type === null ? 'order' : (FAMILIES[type] ?? 'any');
}
