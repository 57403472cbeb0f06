import type { Me, Role, Scope } from '../api/types';

/** What each role lets somebody do, in the order in which they are offered. */
export const ROLE_WORDS: Record<Role, string> = {
  viewer: 'Sees pipelines, runs, logs and data of the team.',
  editor: 'Draws and publishes pipelines. This means: has code executed on the queues of the team, with its secrets.',
  operator: 'Starts, cancels, resumes and retries runs.',
  approver: 'Decides where a pipeline asks for a decision.',
  auditor: 'Reads who did what in the team.',
  admin: 'Gives roles, keeps secrets and service accounts, and lends things to other teams.',
};
export const ROLES = Object.keys(ROLE_WORDS) as Role[];
/** A decision is a person's. */
export const SERVICE_ROLES = ROLES.filter((role) => role !== 'approver');

export const SCOPE_WORDS: Record<Scope, string> = {
  read: 'Look at things.',
  edit: 'Change and publish pipelines, sync code: have code executed.',
  run: 'Start, cancel, resume and retry runs.',
  approve: 'Decide in the name of its person.',
  manage: 'Give roles, keep secrets, make tokens.',
};
export const SCOPES = Object.keys(SCOPE_WORDS) as Scope[];
export const SERVICE_SCOPES = SCOPES.filter((scope) => scope !== 'approve');

export const KIND_WORDS: Record<string, string> = {
  pipeline: 'pipeline',
  codelocation: 'code location',
  secret: 'secret',
  endpoint: 'endpoint',
  model: 'model',
};

/** What is lent with each verb, by kind of thing; the first one is offered first. */
export const LENT_WORDS: Record<string, Record<string, string>> = {
  pipeline: {
    view: 'See it, its published versions, and all its runs: with their parameters, their logs and who started them.',
    run: 'Also start runs of it, as a run of this team.',
  },
  codelocation: { use: 'Their documents take its code, and their workers run it.' },
  secret: { use: 'Their tasks are given its value. Whoever edits their pipelines can read it.' },
  endpoint: { use: 'Their pipelines deploy models to it. You see where these come from.' },
  model: { view: 'See it and its versions.', use: 'Also deploy versions of it.' },
};

/** Whether somebody gives roles and lends things in a team. */
export function manages(me: Me | undefined, team: string): boolean {
  if (!me) return false;
  return me.is_superuser || me.teams.some((each) => each.slug === team && each.roles.includes('admin'));
}

export function belongsTo(me: Me | undefined, team: string): boolean {
  return me !== undefined && (me.is_superuser || me.teams.some((each) => each.slug === team));
}
