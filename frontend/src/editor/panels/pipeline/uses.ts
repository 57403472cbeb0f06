import type { Model } from '../../types';

/** Names of the tasks that refer to a parameter. */
export function usesOf({ tasks }: Model, parameter: string): string[] {
  const mention = new RegExp(`\\bparams\\.${parameter}\\b`);
  return [...tasks.values()].filter(({ raw }) => mention.test(JSON.stringify(raw))).map(({ name }) => name);
}
