import type { Me } from '../api/types';

type Team = Me['teams'][number];

/* The team that was chosen last in this browser: where a page or a form names none, it is meant. */

const KEY = 'last-team';

export function rememberTeam(slug: string): void {
  localStorage.setItem(KEY, slug);
}

/** The team to begin with: the one chosen last where it is among these, else the first. */
export function usualTeam(teams: readonly Team[]): Team | undefined {
  const last = localStorage.getItem(KEY);
  return teams.find((team) => team.slug === last) ?? teams[0];
}
