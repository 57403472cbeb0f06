import type { Json, Parameter, Parameters } from '../api/types';
import { formatNumber } from '../ui/format';
import { compactJson } from '../ui/json';

/** What the person typed, by parameter: text for everything, "true" and "false" for a switch. */
export type Draft = Record<string, string>;

export type Parsed = { value: Json } | { error: string } | 'absent';

/** The text a field begins with: the default, in the form in which it would be typed. */
export function textOf(value: Json | undefined, type: Parameter['type']): string {
  if (value === undefined) return type === 'boolean' ? 'false' : '';
  if (type === 'json') return compactJson(value);
  return typeof value === 'string' ? value : JSON.stringify(value);
}

export function draftOf(parameters: Parameters): Draft {
  return Object.fromEntries(Object.entries(parameters).map(([name, spec]) => [name, textOf(spec.default, spec.type)]));
}

/** Judges one field. An empty field takes the default; without one it is a problem. */
export function parse(spec: Parameter, text: string): Parsed {
  if (spec.enum) return parseChoice(spec.enum, text, spec);
  if (spec.type === 'string') return parseString(spec, text);
  if (text.trim() === '') return spec.default === undefined ? { error: 'A value is needed.' } : 'absent';
  if (spec.type === 'boolean') return { value: text === 'true' };
  if (spec.type === 'json') return parseJson(text);
  return parseNumber(spec, text.trim());
}

function parseChoice(choices: Json[], text: string, spec: Parameter): Parsed {
  if (text === '') return spec.default === undefined ? { error: 'Choose one.' } : 'absent';
  const choice = choices.find((each) => textOf(each, spec.type) === text);
  return choice === undefined ? { error: 'Choose one of the list.' } : { value: choice };
}

function parseString(spec: Parameter, text: string): Parsed {
  if (text === '' && spec.default === undefined) return { error: 'A value is needed.' };
  if (spec.min_length !== undefined && text.length < spec.min_length) {
    return { error: `At least ${spec.min_length} characters.` };
  }
  if (spec.max_length !== undefined && text.length > spec.max_length) {
    return { error: `At most ${spec.max_length} characters; this has ${text.length}.` };
  }
  return { value: text };
}

function parseJson(text: string): Parsed {
  try {
    return { value: JSON.parse(text) as Json };
  } catch (error) {
    return { error: `Not valid JSON: ${error instanceof Error ? error.message : String(error)}` };
  }
}

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

function parseNumber(spec: Parameter, text: string): Parsed {
  if (!NUMBER.test(text)) return { error: spec.type === 'integer' ? 'A whole number, please.' : 'A number, please: 0.1, 1e-3.' };
  const value = Number(text);
  if (!Number.isFinite(value)) return { error: 'This number is too large.' };
  if (spec.type === 'integer' && !Number.isInteger(value)) return { error: 'A whole number, please.' };
  if (spec.minimum !== undefined && value < spec.minimum) return { error: `At least ${formatNumber(spec.minimum)}.` };
  if (spec.maximum !== undefined && value > spec.maximum) return { error: `At most ${formatNumber(spec.maximum)}.` };
  return { value };
}

export interface Collected {
  values: Record<string, Json>;
  errors: Record<string, string>;
}

/** The whole form: values to send, and what is wrong by field. */
export function collect(parameters: Parameters, draft: Draft): Collected {
  const values: Record<string, Json> = {};
  const errors: Record<string, string> = {};
  for (const [name, spec] of Object.entries(parameters)) {
    const parsed = parse(spec, draft[name] ?? '');
    if (parsed === 'absent') continue;
    if ('error' in parsed) errors[name] = parsed.error;
    else values[name] = parsed.value;
  }
  return { values, errors };
}

/** What the server refused, by field; what belongs to no field of this form is said above it. */
export function serverErrors(
  parameters: Parameters,
  fields: { field: string; message: string }[],
): { errors: Record<string, string>; others: string[] } {
  const errors: Record<string, string> = {};
  const others: string[] = [];
  for (const { field, message } of fields) {
    const name = field.replace(/^parameters[./]/, '').split(/[./]/)[0] ?? '';
    if (name in parameters) errors[name] = message;
    else others.push(field ? `${field}: ${message}` : message);
  }
  return { errors, others };
}

/** "number, 0 to 1", "integer, at least 1", "string, at most 80 characters"; nothing beside a list to choose from. */
export function limitsOf(spec: Parameter): string {
  if (spec.enum) return '';
  const lengths = spec.type === 'string';
  const range = rangeWords(lengths ? spec.min_length : spec.minimum, lengths ? spec.max_length : spec.maximum);
  return [spec.type, range && lengths ? `${range} characters` : range].filter(Boolean).join(', ');
}

function rangeWords(least: number | undefined, most: number | undefined): string {
  if (least !== undefined && most !== undefined) return `${formatNumber(least)} to ${formatNumber(most)}`;
  if (least !== undefined) return `at least ${formatNumber(least)}`;
  return most === undefined ? '' : `at most ${formatNumber(most)}`;
}
