/* References `${{ … }}` in texts: where they stand and what they name. The rules are those of the server. */

export type Root = 'params' | 'tasks' | 'inputs' | 'secrets' | 'item';

/** One reference. `start` and `end` are those of the whole `${{ … }}`; `output` is empty except with root `tasks`. */
export interface Reference {
  readonly root: Root;
  readonly name: string;
  readonly output: string;
  readonly start: number;
  readonly end: number;
}

const WHOLE = /\$\{\{([\s\S]*?)\}\}/g;
const NAME = '[A-Za-z_][A-Za-z0-9_]*';
const SHAPES: readonly (readonly [Root, RegExp])[] = [
  ['params', new RegExp(`^params\\.(${NAME})$`)],
  ['inputs', new RegExp(`^inputs\\.(${NAME})$`)],
  ['secrets', /^secrets\.([A-Za-z0-9_-]+)$/],
  ['tasks', new RegExp(`^tasks\\.([A-Za-z0-9_-]+)\\.outputs\\.(${NAME})$`)],
];
const ITEM = new RegExp(`^(?!(?:params|tasks|inputs|secrets)$)${NAME}$`);

/** Every reference in a text that can be read, in order. */
export function referencesIn(text: string): Reference[] {
  if (!text.includes('${{')) return [];
  return [...text.matchAll(WHOLE)].flatMap((match) => {
    const found = readReference((match[1] ?? '').trim());
    return found ? [{ ...found, start: match.index, end: match.index + match[0].length }] : [];
  });
}

/** The reference that a text is and nothing else, or null. */
export function onlyReference(value: unknown): Reference | null {
  if (typeof value !== 'string') return null;
  const [first] = referencesIn(value);
  return first?.start === 0 && first.end === value.length ? first : null;
}

function readReference(inner: string): Omit<Reference, 'start' | 'end'> | null {
  for (const [root, shape] of SHAPES) {
    const match = shape.exec(inner);
    if (match) return { root, name: match[1] ?? '', output: match[2] ?? '' };
  }
  return ITEM.test(inner) ? { root: 'item', name: inner, output: '' } : null;
}

/** A reference as it is written. */
export function outputReference(task: string, output: string): string {
  return `\${{ tasks.${task}.outputs.${output} }}`;
}

export function inputReference(name: string): string {
  return `\${{ inputs.${name} }}`;
}

/** A text with what references name replaced; `rename` gives the new inside of one, or null to leave it. */
export function mapReferences(text: string, rename: (reference: Reference) => string | null): string {
  let result = '';
  let end = 0;
  for (const reference of referencesIn(text)) {
    const inside = rename(reference);
    if (inside === null) continue;
    const written = text.slice(reference.start, reference.end);
    const kept = /^\$\{\{(\s*)[\s\S]*?(\s*)\}\}$/.exec(written);
    result += `${text.slice(end, reference.start)}\${{${kept?.[1] ?? ' '}${inside}${kept?.[2] ?? ' '}}}`;
    end = reference.end;
  }
  return result + text.slice(end);
}
