import { Problem, sentenceOf } from '../api/problem';

interface Refusal {
  /** What stands above the form: null when it belongs to a field that is shown. */
  sentence: string | null;
  of: (field: string) => string | null;
}

/** Shares out what the server refused: to the fields of a form, and the rest above it. */
export function refusalOf(error: unknown, fields: readonly string[]): Refusal {
  const refused = error instanceof Problem ? error.fields : [];
  const placed = refused.filter((each) => fields.includes(each.field.split('.')[0] ?? ''));
  return {
    sentence: error && placed.length === 0 ? sentenceOf(error) : null,
    of: (field) => placed.find((each) => each.field.split('.')[0] === field)?.message ?? null,
  };
}
