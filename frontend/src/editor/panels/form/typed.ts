import { useState } from 'react';
import type { Json } from '../../types';

/* Between what a person types and the value that the document holds. */

/** What was typed: a value (undefined: none), or why it is none. */
export type Parsed = { readonly value: Json | undefined } | { readonly fault: string };

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** A number as it is meant; everything else stays as it was typed, for the schema to judge. */
export function parseNumber(text: string): Parsed {
  const trimmed = text.trim();
  if (trimmed === '') return { value: undefined };
  return { value: NUMBER.test(trimmed) && Number.isFinite(Number(trimmed)) ? Number(trimmed) : text };
}

export function parseText(text: string): Parsed {
  return { value: text === '' ? undefined : text };
}

/** A scalar of one of several types, read as YAML would. */
export function parseScalar(types: readonly string[]): (text: string) => Parsed {
  return (text) => {
    if (text.trim() === '') return { value: types.includes('null') ? null : undefined };
    if ((types.includes('number') || types.includes('integer')) && NUMBER.test(text.trim())) return parseNumber(text);
    if (types.includes('boolean') && (text === 'true' || text === 'false')) return { value: text === 'true' };
    return { value: text };
  };
}

/** JSON, or a reference. */
export function parseJson(text: string): Parsed {
  if (text.trim() === '') return { value: undefined };
  if (/^\s*\$\{\{/.test(text)) return { value: text.trim() };
  try {
    return { value: JSON.parse(text) as Json };
  } catch (error) {
    return { fault: `Not taken over, as it is not valid JSON: ${error instanceof Error ? error.message : String(error)}` };
  }
}

/** What a field shows of a value. */
export function textOf(value: Json | undefined): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

export interface Typed {
  readonly text: string;
  /** Why what is typed is not taken over. */
  readonly fault: string | null;
  readonly onText: (text: string) => void;
}

interface Memory {
  readonly text: string;
  readonly value: Json | undefined;
  readonly fault: string | null;
}

/**
 * A text field on a value that also changes elsewhere (undo, YAML). What was typed stays as it was typed ("2.") for as
 * long as the document holds the value that it gave.
 */
export function useTyped(
  value: Json | undefined,
  parse: (text: string) => Parsed,
  commit: (value: Json | undefined) => void,
  show: (value: Json | undefined) => string = textOf,
): Typed {
  const [memory, setMemory] = useState<Memory | null>(null);
  const current = memory !== null && sameValue(memory.value, value) ? memory : null;
  const onText = (text: string) => {
    const parsed = parse(text);
    const next = 'fault' in parsed ? value : parsed.value;
    setMemory({ text, value: next, fault: 'fault' in parsed ? parsed.fault : null });
    if (!sameValue(next, value)) commit(next);
  };
  return { text: current?.text ?? show(value), fault: current?.fault ?? null, onText };
}

export function sameValue(one: Json | undefined, other: Json | undefined): boolean {
  return one === other || JSON.stringify(one) === JSON.stringify(other);
}
