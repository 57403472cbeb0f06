import type { Me, Secret, SecretSource } from '../api/types';

export const SOURCE_WORDS: Record<SecretSource, string> = {
  value: 'Stored here',
  environment: 'A variable of the workers',
  file: 'A file of the workers',
};

/** Teams whose secrets a person may add to and change. */
export function managedTeams(me: Me | undefined): Me['teams'] {
  if (!me) return [];
  return me.teams.filter((team) => me.is_superuser || team.roles.includes('admin'));
}

export function mayManage(me: Me | undefined, secret: Secret): boolean {
  return me !== undefined && (me.is_superuser || managedTeams(me).some((team) => team.slug === secret.team));
}

/** How a document names a secret. */
export function referenceTo(name: string): string {
  return `\${{ secrets.${name} }}`;
}
