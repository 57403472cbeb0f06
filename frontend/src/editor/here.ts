import { between, type Ground } from '../graph/judge';
import { portFits } from '../graph/ports';
import { faultOf } from './panels/form/check';
import { mapOf, portsOf, type Known } from './ports';
import type { Catalogue, JsonMap, LinkModel, Problem, TaskModel } from './types';

/*
 * What the browser knows at once to be wrong with a task: what the forms and the canvas would refuse too. The server
 * says the same, and more, a moment later.
 */

export function judgedHere(task: TaskModel, known: Known): Problem[] {
  return [...faults(task, known.catalogue), ...missing(task, known), ...badLinks(task, known)];
}

function faults(task: TaskModel, catalogue: Catalogue): Problem[] {
  const schemas = schemasOf(task, catalogue);
  return Object.entries(task.raw).flatMap(([key, value]) => {
    const schema = schemas[key];
    const fault = schema ? faultOf(schema, value) : null;
    return fault === null ? [] : [problem(task, 'bad-value', key, fault)];
  });
}

/** The schemas of everything that a task of this kind may say. */
export function schemasOf({ kind }: TaskModel, { kinds, common, work }: Catalogue): Readonly<Record<string, JsonMap>> {
  const info = kinds.get(kind);
  return info ? { ...common, ...(info.worked ? work : {}), ...info.keys } : {};
}

function missing(task: TaskModel, known: Known): Problem[] {
  const given = mapOf(task.raw.with);
  return portsOf(task.key, known)
    .inputs.filter(({ name, required }) => required && !(name in given))
    .map(({ name, type }) => problem(task, 'missing-input', '', `'${task.name}' needs the input '${name}' (${type}): give it in \`with\`.`, { name }));
}

function badLinks(task: TaskModel, known: Known): Problem[] {
  const { links, tasks } = known.model;
  const ground: Ground = { links, scopeOf: (key) => tasks.get(key)?.parent ?? null };
  return links
    .filter(({ to }) => to === task.key)
    .flatMap((link) => {
      const loop = between(ground, link.from, link.to);
      if (loop !== null) return [problem(task, 'cycle', link.place, loop)];
      const misfit = misfitOf(link, known);
      return misfit === null ? [] : [problem(task, 'port-mismatch', link.place, misfit)];
    });
}

function misfitOf({ sort, from, to, output, input }: LinkModel, known: Known): string | null {
  const given = portsOf(from, known).outputs.find(({ name }) => name === output);
  const wanted = portsOf(to, known).inputs.find(({ name }) => name === input);
  if (sort !== 'data' || !given || !wanted || portFits(given.type, wanted)) return null;
  const types = [wanted.type, ...(wanted.accepts ?? [])].join(' or ');
  return `The input '${wanted.name}' takes ${types}, and '${given.name}' of '${from}' is ${given.type}.`;
}

function problem(task: TaskModel, code: string, place: string, message: string, params: Problem['params'] = {}): Problem {
  const path = place === '' ? task.path : `${task.path}.${place}`;
  return { severity: 'error', code, path, line: task.line, column: 1, message, params };
}
