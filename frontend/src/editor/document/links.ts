import type { Json, JsonMap, LinkModel, LinkSort, Rule } from '../types';
import { outputsIn } from './conditions';
import { referencesIn } from './references';
import { isMap } from './values';

/*
 * What a task takes from its siblings: references in `with`, `over` and `when`, names in `needs`. Which keys count, and
 * in which form, is decided as on the server.
 */

/** A link before it is known whether the named task exists. `from` is a name of the same scope. */
export type Wanted = Omit<LinkModel, 'id' | 'from' | 'to'> & { readonly from: string };

export const RULES: readonly Rule[] = ['success', 'failure', 'always'];

const TASK_NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;
/** Kinds without `with`, and those that have `over` or take any key. */
const WITHOUT_WITH = new Set(['approval', 'wait']);
const CLOSED = new Set(['python', 'shell', 'check', 'pipeline', 'approval', 'wait', 'register', 'deploy', 'manual', 'group']);
const LONGEST_CONDITION = 2000;

export function isTaskName(name: string): boolean {
  return TASK_NAME.test(name);
}

const known = new WeakMap<JsonMap, readonly Wanted[]>();

/** What the task with these keys takes. The same list for the same object. */
export function wantedBy(raw: JsonMap): readonly Wanted[] {
  const before = known.get(raw);
  if (before) return before;
  const found = [...dataOf(raw), ...conditionOf(raw.when), ...orderOf(raw.needs)];
  known.set(raw, found);
  return found;
}

function dataOf(raw: JsonMap): Wanted[] {
  const kind = typeof raw.kind === 'string' ? raw.kind : '';
  const values: [string, string, Json][] = [];
  if (isMap(raw.with) && !WITHOUT_WITH.has(kind)) {
    for (const [name, value] of Object.entries(raw.with)) values.push([name, `with.${name}`, value]);
  }
  if (raw.over !== undefined && !isMap(raw.over) && !CLOSED.has(kind)) values.push(['over', 'over', raw.over]);
  return values.flatMap(([input, place, value]) => referencesBelow(value, place, input));
}

function referencesBelow(value: Json, place: string, input: string): Wanted[] {
  if (typeof value === 'string') return inText(value, place, input);
  if (value === null || typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([name, inner]) => referencesBelow(inner, `${place}.${name}`, input));
}

function inText(text: string, place: string, input: string): Wanted[] {
  const found = new Map<string, Wanted>();
  for (const { root, name, output } of referencesIn(text)) {
    if (root !== 'tasks') continue;
    found.set(`${name}.${output}`, { sort: 'data', from: name, output, input, rule: 'success', place });
  }
  return [...found.values()];
}

function conditionOf(when: Json | undefined): Wanted[] {
  if (typeof when !== 'string' || when.length > LONGEST_CONDITION || when.includes('${{')) return [];
  return outputsIn(when).map(({ task, output }) => ({
    sort: 'condition',
    from: task,
    output,
    input: null,
    rule: 'success',
    place: 'when',
  }));
}

/** The first mention of a task counts. */
function orderOf(needs: Json | undefined): Wanted[] {
  if (!Array.isArray(needs)) return [];
  const found = new Map<string, Wanted>();
  for (const [number, item] of needs.entries()) {
    const need = readNeed(item);
    if (!need || found.has(need.task)) continue;
    const place = `needs.${number}`;
    found.set(need.task, { sort: 'order', from: need.task, output: null, input: null, rule: need.rule, place });
  }
  return [...found.values()];
}

/** An item of `needs`; null when it has none of the two forms. */
export function readNeed(item: Json): { task: string; rule: Rule } | null {
  const { task, on = 'success', ...rest }: JsonMap = isMap(item) ? item : { task: item };
  const rule = RULES.find((name) => name === on);
  const fits = typeof task === 'string' && isTaskName(task) && Object.keys(rest).length === 0;
  return fits && rule ? { task, rule } : null;
}

/** The same for the same reference in the same place. */
export function linkId(to: string, sort: LinkSort, place: string, from: string, output: string | null): string {
  // The number of an item of `needs` changes with those before it; the task that it names does not.
  return sort === 'order' ? `${to}|needs|${from}` : `${to}|${place}|${from}.${output ?? ''}`;
}
