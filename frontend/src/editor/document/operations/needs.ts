import type { Json, JsonMap, Rule } from '../../types';
import { readNeed } from '../links';

/* What a task waits for by name. */

export interface Need {
  readonly task: string;
  readonly rule: Rule;
}

/** As it is written. */
export function needOf({ task, rule }: Need): Json {
  return rule === 'success' ? task : { task, on: rule };
}

/** The needs of a task that can be read, with their numbers in the list. */
export function needsOf({ needs }: JsonMap): (Need & { readonly number: number })[] {
  if (!Array.isArray(needs)) return [];
  return needs.flatMap((item, number) => {
    const need = readNeed(item);
    return need ? [{ ...need, number }] : [];
  });
}

/** Each task once; `refuse` is called where one is needed on two rules. */
export function withoutTwice(needs: readonly Need[], refuse: (task: string) => never): Need[] {
  const found = new Map<string, Need>();
  for (const need of needs) {
    const first = found.get(need.task);
    if (first && first.rule !== need.rule) refuse(need.task);
    if (!first) found.set(need.task, { task: need.task, rule: need.rule });
  }
  return [...found.values()];
}
