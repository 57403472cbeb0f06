/** A number as a field shows it; empty for none. */
export function textOf(value: number | null): string {
  return value?.toString() ?? '';
}

/** What a field says as a number; null for nothing. */
export function numberOf(text: string | undefined): number | null {
  return text === undefined || text.trim() === '' ? null : Number(text);
}
