import { reaches } from '../../../graph/judge';
import { Refused, type Doc, type Edit, type LinkModel, type Model, type Rule, type TaskModel } from '../../types';
import { isTaskName, readNeed } from '../links';
import { onlyReference, outputReference } from '../references';
import { applyChanges, type Change } from '../splice/change';
import { valueAt } from '../values';
import { needReadable, pathOf, pathOfPlace, taskAt } from './common';
import { below } from './fields';
import { needOf } from './needs';
import { removals } from './release';

export interface Output {
  readonly task: string;
  readonly output: string;
}

export interface Input {
  readonly task: string;
  readonly input: string;
}

/** An output becomes the value of an input. Refused where a link is there already, unless it is to be replaced. */
export function connect(doc: Doc, from: Output, to: Input, { replace = false } = {}): Edit {
  needReadable(doc);
  const [up, down] = pair(doc.model, from.task, to.task);
  const taken = doc.model.links.some((link) => link.sort === 'data' && link.to === to.task && link.input === to.input);
  if (taken && !replace) throw new Refused(`'${to.input}' of '${down.name}' has a link already: remove that one first.`);
  const place = down.kind === 'map' && to.input === 'over' ? ['over'] : ['with', to.input];
  const change: Change = { path: [...pathOf(doc.model, to.task), ...place], set: outputReference(up.name, from.output) };
  return { text: applyChanges(doc.text, [change]) };
}

/** One task waits for another. */
export function connectOrder(doc: Doc, from: string, to: string, rule: Rule = 'success'): Edit {
  needReadable(doc);
  const [up, down] = pair(doc.model, from, to);
  const joined = doc.model.links.filter((link) => link.from === from && link.to === to);
  if (joined.some(({ sort }) => sort === 'order')) throw new Refused(`'${down.name}' waits for '${up.name}' already.`);
  if (joined.length > 0) refuseRule(rule, up, down);
  return { text: applyChanges(doc.text, below(pathOf(doc.model, to), [newNeed(down, up.name, rule)])) };
}

/** Refused where the link is read on success only, as outputs are. */
export function setRule(doc: Doc, id: string, rule: Rule): Edit {
  needReadable(doc);
  const link = linkAt(doc.model, id);
  const [up, down] = [taskAt(doc.model, link.from), taskAt(doc.model, link.to)];
  if (link.rule === rule) return {};
  if (link.sort !== 'order' || isRead(doc.model, link)) refuseRule(rule, up, down);
  const path = [...pathOf(doc.model, link.to), ...pathOfPlace(link.place)];
  const item = valueAt(down.raw, pathOfPlace(link.place));
  // A mapping keeps its form and its comments.
  const change: Change =
    typeof item === 'object' && rule !== 'success' ? { path: [...path, 'on'], set: rule } : { path, set: needOf({ task: up.name, rule }) };
  return { text: applyChanges(doc.text, [change]) };
}

/** Links go: values that are an output and nothing else, names in `needs`. Others are told. */
export function disconnect(doc: Doc, ids: Iterable<string>): Edit {
  needReadable(doc);
  const links = [...ids].map((id) => linkAt(doc.model, id));
  const targets = new Set(links.map(({ to }) => to));
  const changes = [...targets].flatMap((to) => {
    const task = taskAt(doc.model, to);
    const places = new Set(links.filter((link) => link.to === to).map((link) => placeOfWhole(task, link)));
    return below(pathOf(doc.model, to), removals(task.raw, [...places].map(pathOfPlace)));
  });
  return { text: applyChanges(doc.text, changes) };
}

function placeOfWhole({ name, raw }: TaskModel, { sort, from, place }: LinkModel): string {
  if (sort === 'condition') throw new Refused(`'${from}' is named in the condition of '${name}': change the condition.`);
  if (sort === 'data' && !onlyReference(valueAt(raw, pathOfPlace(place)))) {
    throw new Refused(`The output of '${from}' is part of a longer text in '${name}' (${place}): change the text.`);
  }
  return place;
}

function linkAt({ links }: Model, id: string): LinkModel {
  const link = links.find((other) => other.id === id);
  if (!link) throw new Refused('This link is not there any more.');
  return link;
}

/** Two tasks that may be joined. */
function pair(model: Model, from: string, to: string): [TaskModel, TaskModel] {
  const [up, down] = [taskAt(model, from), taskAt(model, to)];
  if (from === to) throw new Refused(`'${up.name}' cannot wait for itself.`);
  if (up.parent !== down.parent) {
    throw new Refused(`'${up.name}' and '${down.name}' are not in the same group: go through its inputs and outputs.`);
  }
  if (!isTaskName(up.name)) throw new Refused(`'${up.name}' is no valid name for a task: rename it first.`);
  if (reaches(model.links, to, from)) throw new Refused(`'${up.name}' waits for '${down.name}' already: they would wait for each other.`);
  return [up, down];
}

function isRead({ links }: Model, { from, to }: LinkModel): boolean {
  return links.some((link) => link.from === from && link.to === to && link.sort !== 'order');
}

function refuseRule(rule: Rule, up: TaskModel, down: TaskModel): void {
  if (rule === 'success') return;
  throw new Refused(`'${down.name}' uses an output of '${up.name}', which there is on success only: remove that link first.`);
}

function newNeed({ raw: { needs = null } }: TaskModel, name: string, rule: Rule): Change {
  const need = needOf({ task: name, rule });
  if (Array.isArray(needs)) return { path: ['needs', needs.length], set: need };
  const before = readNeed(needs);
  return { path: ['needs'], set: before ? [needs, need] : [need] };
}
