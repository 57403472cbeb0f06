import { compactJson } from '../../ui/json';
import type { Value } from '../merge/values';
import css from './DiffList.module.css';

/** A value of a document, as short as it can be written. */
export function Written({ value }: { value: Value }) {
  if (value === undefined) return <span className={css.absent}>not there</span>;
  return <code className={css.value}>{typeof value === 'string' ? value : compactJson(value)}</code>;
}
