import type { Json, JsonMap } from '../../types';

/*
 * Which control a JSON Schema asks for. The subset that has one: string (`x-lines` for several lines), number, integer,
 * boolean, enum, arrays of these or of objects, objects with properties (`x-one-of`: just one of them is given) or with
 * free names, and a few scalar types at once. Anything else is written as YAML. Pure.
 */

export type Schema = Readonly<JsonMap>;

export type Control =
  | { readonly sort: 'text'; readonly lines: number }
  | { readonly sort: 'number' }
  | { readonly sort: 'switch' }
  /** A value that is either this or absent. */
  | { readonly sort: 'tick'; readonly value: Json }
  | { readonly sort: 'choice'; readonly choices: readonly Json[] }
  | { readonly sort: 'choices'; readonly choices: readonly Json[] }
  /** One of several scalar types. */
  | { readonly sort: 'scalar'; readonly types: readonly string[] }
  | { readonly sort: 'pair'; readonly items: Schema }
  | { readonly sort: 'list'; readonly items: Schema; readonly least: number }
  | { readonly sort: 'object'; readonly properties: Properties; readonly required: readonly string[]; readonly oneOf: readonly string[] }
  | { readonly sort: 'map'; readonly values: Schema }
  | { readonly sort: 'yaml' };

export type Properties = Readonly<Record<string, Schema>>;

const YAML: Control = { sort: 'yaml' };
const SCALARS: ReadonlySet<string> = new Set(['string', 'number', 'integer', 'boolean', 'null']);
/** What the subset leaves to YAML, whatever else a schema says. */
const BEYOND = ['anyOf', 'oneOf', 'allOf', 'not', 'if', '$ref'];

export function controlOf(schema: Schema): Control {
  if (BEYOND.some((key) => key in schema)) return YAML;
  if (Array.isArray(schema.enum)) return ofEnum(schema.enum);
  if (Array.isArray(schema.type)) return ofTypes(stringsIn(schema.type));
  switch (schema.type) {
    case 'string':
      return { sort: 'text', lines: typeof schema['x-lines'] === 'number' ? schema['x-lines'] : 1 };
    case 'number':
    case 'integer':
      return { sort: 'number' };
    case 'boolean':
      return { sort: 'switch' };
    case 'array':
      return ofArray(schema);
    case 'object':
      return ofObject(schema);
    default:
      return YAML;
  }
}

function ofEnum(choices: readonly Json[]): Control {
  return choices.length === 1 ? { sort: 'tick', value: choices[0] ?? null } : { sort: 'choice', choices };
}

function ofTypes(types: readonly string[]): Control {
  return types.every((type) => SCALARS.has(type)) ? { sort: 'scalar', types } : YAML;
}

function ofArray(schema: Schema): Control {
  const items = schemaIn(schema.items);
  if (!items) return YAML;
  const inner = controlOf(items);
  if (inner.sort === 'yaml' || inner.sort === 'map') return YAML;
  if (inner.sort === 'choice') return { sort: 'choices', choices: inner.choices };
  if (schema.minItems === 2 && schema.maxItems === 2) return { sort: 'pair', items };
  return { sort: 'list', items, least: typeof schema.minItems === 'number' ? schema.minItems : 0 };
}

function ofObject(schema: Schema): Control {
  const properties = schemaIn(schema.properties) as Properties | null;
  if (properties) {
    return { sort: 'object', properties, required: stringsIn(schema.required), oneOf: stringsIn(schema['x-one-of']) };
  }
  const values = schemaIn(schema.additionalProperties);
  return values && controlOf(values).sort !== 'yaml' ? { sort: 'map', values } : YAML;
}

function schemaIn(value: Json | undefined): Schema | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : null;
}

export function stringsIn(value: Json | undefined): string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];
}

/** A first value of a schema: what a new item of a list holds. */
export function starterOf(schema: Schema): Json {
  if (schema.default !== undefined) return schema.default;
  if (Array.isArray(schema.enum)) return schema.enum[0] ?? null;
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type;
  if (type === 'number' || type === 'integer') return typeof schema.minimum === 'number' ? schema.minimum : 0;
  if (type === 'boolean') return false;
  if (type === 'array') return starterItems(schema);
  return type === 'object' ? starterObject(schema) : '';
}

function starterItems(schema: Schema): Json[] {
  const items = schemaIn(schema.items);
  const count = typeof schema.minItems === 'number' ? schema.minItems : 0;
  return items ? Array.from({ length: count }, () => starterOf(items)) : [];
}

function starterObject(schema: Schema): JsonMap {
  const properties = (schemaIn(schema.properties) ?? {}) as Properties;
  const [first] = stringsIn(schema['x-one-of']);
  const needed = schema.minProperties === 1 ? Object.keys(properties).slice(0, 1) : [];
  const names = new Set([...stringsIn(schema.required), ...(first === undefined ? needed : [first])]);
  return Object.fromEntries(Object.entries(properties).flatMap(([name, inner]) => (names.has(name) ? [[name, starterOf(inner)]] : [])));
}

/** The label of a key: `requester_may_approve` is "Requester may approve". */
export function labelOf(key: string, schema: Schema): string {
  if (typeof schema.title === 'string') return schema.title;
  const words = key.replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

export function descriptionOf(schema: Schema): string | null {
  return typeof schema.description === 'string' ? schema.description : null;
}
