import { isTaskName } from '../links';

const LONGEST = 64;

/** A name for a task that none of the others has: `ingest`, then `ingest-2`. */
export function freeName(wanted: string, taken: ReadonlySet<string>): string {
  const name = validName(wanted);
  if (!taken.has(name)) return name;
  const stem = name.replace(/-[0-9]+$/, '');
  for (let number = 2; ; number += 1) {
    const numbered = `${stem.slice(0, LONGEST - String(number).length - 1)}-${number}`;
    if (!taken.has(numbered)) return numbered;
  }
}

/** The nearest name that a task may have. */
export function validName(wanted: string): string {
  if (isTaskName(wanted)) return wanted;
  const name = wanted
    .trim()
    .replace(/[^A-Za-z0-9_-]+/g, '-')
    .replace(/^[-_]+|-+$/g, '')
    .slice(0, LONGEST);
  return isTaskName(name) ? name : 'task';
}
