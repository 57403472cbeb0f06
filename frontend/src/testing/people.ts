import type { Keeper, Member, Pipeline } from '../api/types';
import { ana, budi } from './make';
import { found, page, pipelineOf, Refusal, type Handler, type World } from './world';

/* What the fake server answers about people and about who keeps a pipeline. */

export function makeMember(change: Partial<Member> = {}): Member {
  return { team: 'demo', email: 'ana@example.com', roles: ['editor'], active: true, service: false, ...ana, ...change };
}

export const MEMBERS: Member[] = [
  makeMember(),
  makeMember({ ...budi, email: 'budi@example.com' }),
  makeMember({ username: 'chitra', name: 'Chitra Devi', email: 'chitra@example.com' }),
];

function listMembers(world: World, url: URL) {
  const q = (url.searchParams.get('q') ?? '').toLowerCase();
  const team = url.searchParams.get('team');
  const fits = (each: Member) => (!team || each.team === team) && `${each.name} ${each.username}`.toLowerCase().includes(q);
  return page(world, world.members.filter(fits), url);
}

function keeper(world: World, username: unknown, field: string): Keeper | null {
  if (username === null) return null;
  const member = world.members.find((each) => each.username === username);
  if (!member?.active) throw new Refusal(422, 'This person cannot be it.', [{ field, message: 'Not an active member of the team.' }]);
  return { username: member.username, name: member.name, active: true };
}

async function change(world: World, [name = '']: string[], request: Request): Promise<Pipeline> {
  const pipeline = found(pipelineOf(world, name));
  const wanted = (await request.json()) as Record<string, unknown>;
  for (const field of ['owner', 'deputy']) {
    if (field in wanted) wanted[field] = keeper(world, wanted[field], field);
  }
  return Object.assign(pipeline, wanted);
}

/** Whether a pipeline belongs to the list that `?owner=` asks for. */
export function ownedAs(world: World, pipeline: Pipeline, owner: string | null): boolean {
  if (owner === 'none') return !pipeline.owner?.active;
  if (owner === 'me') return pipeline.owner?.username === world.me?.username;
  return owner === null || pipeline.owner?.username === owner;
}

export const PEOPLE_ROUTES: [string, RegExp, Handler][] = [
  ['GET', /^\/api\/v1\/members\/$/, (world, _, __, url) => listMembers(world, url)],
  ['PATCH', /^\/api\/v1\/pipelines\/([^/]+)\/$/, change],
];
