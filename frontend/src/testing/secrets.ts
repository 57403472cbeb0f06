import type { Secret, SecretDetail } from '../api/types';
import { askAgain } from './account';
import { ana, uuid } from './make';
import { found, page, Refusal, type Handler, type World } from './world';

/* What the fake server answers about secrets; it keeps values beside them, so that tests can see what went in. */

export function makeSecret(name: string, change: Partial<SecretDetail> = {}): SecretDetail {
  return {
    id: uuid(),
    team: 'demo',
    name,
    description: 'Of the shop; ask Budi for a new one.',
    source: 'value',
    address: '',
    version: 1,
    created_at: '2026-03-01T08:00:00Z',
    created_by: ana,
    changed_at: '2026-03-02T08:00:00Z',
    changed_by: ana,
    used_by: [],
    ...change,
  };
}

function secretOf(world: World, [id = '']: string[]): SecretDetail {
  return found(world.secrets.find((each) => each.id === id));
}

async function make(world: World, _: string[], request: Request): Promise<Secret> {
  askAgain(world);
  const { value, ...wanted } = (await request.json()) as Partial<SecretDetail> & { name: string; value?: string };
  if (world.secrets.some((each) => each.name === wanted.name)) {
    throw new Refusal(409, `The team demo has a secret '${wanted.name}': give that one a new value.`);
  }
  if (wanted.source === 'value' && (value ?? '').length < 4) {
    throw new Refusal(422, 'The value is too short.', [{ field: 'value', message: 'At least 4 characters.' }]);
  }
  const secret = makeSecret(wanted.name, wanted);
  world.secrets.push(secret);
  world.values[secret.name] = value ?? '';
  return secret;
}

async function change(world: World, params: string[], request: Request): Promise<Secret> {
  const secret = secretOf(world, params);
  const { value, ...wanted } = (await request.json()) as { value?: string; description?: string };
  if (value !== undefined) {
    world.values[secret.name] = value;
    secret.version += 1;
  }
  return Object.assign(secret, wanted);
}

function archive(world: World, params: string[]): Response {
  const secret = secretOf(world, params);
  world.secrets = world.secrets.filter((each) => each !== secret);
  return new Response(null, { status: 204 });
}

export const SECRET_ROUTES: [string, RegExp, Handler][] = [
  ['GET', /^\/api\/v1\/secrets\/$/, (world, _, __, url) => page(world, world.secrets, url)],
  ['POST', /^\/api\/v1\/secrets\/$/, make],
  ['GET', /^\/api\/v1\/secrets\/([^/]+)\/$/, (world, params) => secretOf(world, params)],
  ['PATCH', /^\/api\/v1\/secrets\/([^/]+)\/$/, change],
  ['DELETE', /^\/api\/v1\/secrets\/([^/]+)\/$/, archive],
];
