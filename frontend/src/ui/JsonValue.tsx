import { formatNumber } from './format';
import { compactJson } from './json';
import css from './JsonValue.module.css';

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** A value as people read it: numbers in their locale, short text as it is, anything nested as indented JSON. */
export function JsonValue({ value }: { value: Json }) {
  if (value === null) return <code className={css.none}>null</code>;
  if (typeof value === 'number') return <span title={String(value)}>{formatNumber(value)}</span>;
  if (typeof value === 'boolean') return <code>{String(value)}</code>;
  if (typeof value === 'string') return value === '' ? <span className={css.none}>empty text</span> : <span className={css.text}>{value}</span>;
  return <pre className={css.json} tabIndex={0}>{compactJson(value)}</pre>;
}
