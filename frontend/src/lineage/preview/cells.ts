import type { Json } from '../../api/types';

const NUMBERS = /^(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|U?INTEGER|FLOAT|DOUBLE|DECIMAL.*)$/;

/** Whether the values of a column are numbers, by its type in the words of the table's reader. */
export function isNumeric(type: string): boolean {
  return NUMBERS.test(type);
}

/** A value in a cell: a number to six digits, anything else as it is. */
export function cellText(value: Json): string {
  if (typeof value === 'number' && !Number.isInteger(value)) return String(Number(value.toPrecision(6)));
  return fullText(value);
}

/** A value with all its digits. */
export function fullText(value: Json): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
