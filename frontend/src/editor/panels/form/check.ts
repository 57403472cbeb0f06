import type { OutputUnit, Validator } from '@cfworker/json-schema';
import type { Json, JsonMap } from '../../types';
import type { Schema } from './schema';

/*
 * What a schema has against a value, as a sentence. The server says the same a little later, so nobody waits for the
 * library that knows schemas: until it is there nothing is found wrong here.
 */

let library: typeof import('@cfworker/json-schema') | null = null;

/** Is done when values are checked. */
export const checking: Promise<void> = import('@cfworker/json-schema').then(
  (loaded) => {
    library = loaded;
  },
  () => undefined,
);

const validators = new WeakMap<Schema, Validator>();

/** The first thing wrong with a value, or null. What holds a reference is judged by the server alone. */
export function faultOf(schema: Schema, value: Json | undefined): string | null {
  if (value === undefined || holdsReference(value)) return null;
  const answer = validatorOf(schema)?.validate(value);
  const first = answer?.errors.at(-1);
  return !answer || answer.valid || !first ? null : sentenceOf(first, schema);
}

function validatorOf(schema: Schema): Validator | null {
  const made = validators.get(schema) ?? (library && new library.Validator(schema, '7', false));
  if (made) validators.set(schema, made);
  return made;
}

function holdsReference(value: Json): boolean {
  if (typeof value === 'string') return value.includes('${{');
  return typeof value === 'object' && value !== null && Object.values(value).some(holdsReference);
}

type Sentence = (limit: Json | undefined) => string;

const SENTENCES: Readonly<Record<string, Sentence>> = {
  minimum: (limit) => `At least ${shown(limit)}.`,
  maximum: (limit) => `At most ${shown(limit)}.`,
  minLength: () => 'This is empty: write something, or clear the field.',
  maxLength: (limit) => `At most ${shown(limit)} characters.`,
  minItems: (limit) => `At least ${shown(limit)}.`,
  maxItems: (limit) => `At most ${shown(limit)}.`,
  minProperties: () => 'One value is needed.',
  enum: (limit) => `One of ${(Array.isArray(limit) ? limit : []).map(shown).join(', ')}.`,
  required: (limit) => `It needs ${(Array.isArray(limit) ? limit : []).map(shown).join(', ')}.`,
};

const TYPES: Readonly<Record<string, string>> = {
  integer: 'A whole number, please.',
  number: 'A number, please: 0.1, 1e-3.',
  string: 'A text, please.',
  boolean: 'true or false, please.',
  array: 'A list, please.',
  object: 'Names and values, please.',
};

function sentenceOf({ keyword, keywordLocation }: OutputUnit, schema: Schema): string {
  const holder = schemaAt(schema, keywordLocation.split('/').slice(1, -1));
  const says = holder['x-says'];
  if (typeof says === 'string' && (keyword === 'pattern' || keyword === 'type')) return `Write ${says}.`;
  if (keyword === 'type') return (typeof holder.type === 'string' ? TYPES[holder.type] : undefined) ?? 'This value does not fit.';
  return SENTENCES[keyword]?.(holder[keyword]) ?? 'This value does not fit.';
}

function schemaAt(schema: Schema, path: readonly string[]): Schema {
  let found: Json = schema;
  for (const key of path) {
    if (typeof found !== 'object' || found === null) return {};
    found = (found as JsonMap)[key] ?? null;
  }
  return typeof found === 'object' && found !== null && !Array.isArray(found) ? found : {};
}

function shown(value: Json | undefined): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
