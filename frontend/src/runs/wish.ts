import type { Json, Parameters, Run } from '../api/types';
import type { RerunWish } from '../api/runs';
import { collect, textOf, type Draft } from '../forms/parameters';

export type Scope = 'all' | 'from' | 'only';

/** What a person has chosen in the dialog of a rerun. */
export interface Choice {
  scope: Scope;
  from: string;
  only: string[];
  version: number;
  reuse: boolean;
  draft: Draft;
}

const KEY = 'rerun.reuse';

/** Whether equal results were taken over the last time; at first they are. */
export function lastReuse(): boolean {
  return localStorage.getItem(KEY) !== 'no';
}

export function rememberReuse(reuse: boolean): void {
  localStorage.setItem(KEY, reuse ? 'yes' : 'no');
}

/** The fields begin with the values of the old run, as far as the version has them, else with the defaults. */
export function draftFrom(parameters: Parameters, run: Pick<Run, 'parameters'>): Draft {
  return Object.fromEntries(
    Object.entries(parameters).map(([name, spec]) => [name, textOf((run.parameters[name]) ?? spec.default, spec.type)]),
  );
}

export interface Asked {
  wish: RerunWish | null;
  errors: Record<string, string>;
}

/** What is asked for, once nothing of it is missing or wrong. An emptied field means the default, not the old value. */
export function wishOf(choice: Choice, parameters: Parameters): Asked {
  const { values, errors } = collect(parameters, choice.draft);
  const whole = { ...defaults(parameters), ...values };
  const wish: RerunWish = { version: choice.version, parameters: whole, reuse: choice.reuse };
  if (choice.scope === 'from') wish.from = choice.from;
  if (choice.scope === 'only') wish.only = choice.only;
  const unclear = (choice.scope === 'from' && choice.from === '') || (choice.scope === 'only' && choice.only.length === 0);
  return { wish: unclear || Object.keys(errors).length > 0 ? null : wish, errors };
}

function defaults(parameters: Parameters): Record<string, Json> {
  return Object.fromEntries(
    Object.entries(parameters).flatMap(([name, spec]) => (spec.default === undefined ? [] : [[name, spec.default] as const])),
  );
}
