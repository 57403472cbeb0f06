import type { LinkModel, Rule } from '../types';

export const RULE_WORDS: Readonly<Record<Rule, string>> = { success: 'after success', failure: 'on failure', always: 'always' };

/** What a link carries: "table → table", "condition", "order". */
export function carriedBy({ sort, output, input }: LinkModel): string {
  if (sort === 'data') return `${output ?? ''} → ${input ?? ''}`;
  return sort === 'condition' ? `condition on ${output ?? ''}` : 'order';
}
