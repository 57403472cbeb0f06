import { Refused, type Json, type Model, type Rule, type TaskModel } from '../../types';
import type { Reference } from '../references';
import type { Change } from '../splice/change';
import { isMap, valueAt } from '../values';
import { carrying, endsOf, insideOf, namesAny, needsChange, others, Ports } from './border';
import { childrenOf, pathOf, taskAt } from './common';
import { below } from './fields';
import { needsOf, type Need } from './needs';
import { resolved, resolvedCondition, resolvedIn, type Meaning } from './resolve';

/** What changes where tasks move into a scope that stands beside them. */
export class Entering {
  private readonly names: ReadonlySet<string>;
  private readonly inner: readonly TaskModel[];
  private readonly first: ReadonlySet<TaskModel>;
  private readonly last: readonly TaskModel[];
  /** What the scope was given by the tasks that move in, by name of the input. */
  private readonly own: ReadonlyMap<string, Reference>;
  private readonly inputs: Ports;
  private readonly outputs: Ports;

  constructor(
    private readonly model: Model,
    private readonly scope: TaskModel,
    private readonly moving: readonly TaskModel[],
  ) {
    this.names = new Set(moving.map(({ name }) => name));
    this.inner = childrenOf(model, scope.key);
    const { first, last } = endsOf(model, this.inner);
    this.first = new Set(first);
    this.last = last;
    this.own = carrying(scope.raw.with, this.names);
    this.inputs = new Ports('with', scope.raw, new Set(this.own.keys()));
    this.outputs = new Ports('outputs', scope.raw, new Set());
    this.refuseOtherUses();
  }

  changes(): Change[] {
    const { model, scope } = this;
    const beside = childrenOf(model, scope.parent).filter((task) => task !== scope && !this.moving.includes(task));
    const at = (task: TaskModel, changes: Change[]) => below(pathOf(model, task.key), changes);
    return [
      ...this.moving.flatMap((task) => at(task, this.inward(task))),
      ...this.inner.flatMap((task) => at(task, this.inside(task))),
      ...beside.flatMap((task) => at(task, this.around(task))),
      ...(scope.parent === null ? [] : at(taskAt(model, scope.parent), this.given(taskAt(model, scope.parent)))),
      // The ports are known by now.
      ...at(scope, this.ofScope()),
    ];
  }

  /** Uses of the tasks by the scope that cannot be said from inside it. */
  private refuseOtherUses(): void {
    const { name, raw } = this.scope;
    const places = { with: others(raw.with, this.own), over: raw.over ?? null };
    const place = Object.entries(places).find(([, value]) => namesAny(value, this.names))?.[0];
    if (place !== undefined) throw new Refused(`'${name}' uses an output of these tasks in its '${place}': change that first.`);
    const link = this.linksTo(this.scope).find(({ sort }) => sort === 'condition');
    if (link) throw new Refused(`The condition of '${name}' names '${taskAt(this.model, link.from).name}': change the condition first.`);
    const after = needsOf(raw).find(({ task, rule }) => this.names.has(task) && rule !== 'success');
    if (after) throw new Refused(`'${name}' waits for '${after.task}' on ${after.rule}, which it cannot inside of it: change that link first.`);
  }

  private linksTo(task: TaskModel) {
    const keys = new Set(this.moving.map(({ key }) => key));
    return this.model.links.filter(({ from, to }) => to === task.key && keys.has(from));
  }

  private inward(task: TaskModel): Change[] {
    const { name, raw } = task;
    const meaning: Meaning = (reference) => {
      if (reference.root === 'params' || reference.root === 'secrets') return undefined;
      if (reference.root !== 'tasks') return this.input(insideOf(reference), reference.name);
      if (this.names.has(reference.name)) return undefined;
      if (reference.name === this.scope.name) return this.result(reference.output, name);
      return this.input(insideOf(reference), reference.output);
    };
    const changes = [...resolved(raw, meaning, name), ...resolvedCondition(raw, meaning, name)];
    const needs = needsOf(raw).flatMap((need) => {
      if (this.names.has(need.task)) return [need];
      return need.task === this.scope.name ? this.lasts(need.rule, name) : [];
    });
    return [...changes, ...needsChange(task, needs)];
  }

  private input(inside: string, wish: string): string {
    return `\${{ inputs.${this.inputs.nameOf(inside, wish)} }}`;
  }

  /** What the scope gives, as it is known inside of it. */
  private result(output: string, name: string): Json | undefined {
    if (this.scope.kind === 'map') throw new Refused(`'${name}' uses what '${this.scope.name}' gives for all its items: it cannot be one of its tasks.`);
    return valueAt(this.scope.raw, ['outputs', output]);
  }

  private lasts(rule: Rule, name: string): Need[] {
    if (this.scope.kind === 'map') throw new Refused(`'${name}' waits for all items of '${this.scope.name}': it cannot be one of its tasks.`);
    if (rule === 'failure' && this.last.length > 1) {
      throw new Refused(`'${name}' runs when '${this.scope.name}' fails, which cannot be said of its tasks one by one.`);
    }
    return this.last.map(({ name: task }) => ({ task, rule }));
  }

  /** A task that is in the scope already. */
  private inside(task: TaskModel): Change[] {
    const meaning = this.known;
    const { name, raw } = task;
    const changes = [...resolved(raw, meaning, name), ...resolvedCondition(raw, meaning, name)];
    if (!this.first.has(task)) return changes;
    const after = needsOf(this.scope.raw).filter((need) => this.names.has(need.task));
    return [...changes, ...needsChange(task, [...needsOf(raw), ...after])];
  }

  /** Inputs that the tasks themselves now give. */
  private readonly known: Meaning = ({ root, name }) => {
    const reference = root === 'inputs' ? this.own.get(name) : undefined;
    return reference && `\${{ ${insideOf(reference)} }}`;
  };

  private readonly outside: Meaning = (reference) => {
    if (reference.root !== 'tasks' || !this.names.has(reference.name)) return undefined;
    if (this.scope.kind === 'map') {
      throw new Refused(`The output '${reference.output}' of '${reference.name}' is used outside of '${this.scope.name}', where there would be one for each item: remove that link first.`);
    }
    return `\${{ tasks.${this.scope.name}.outputs.${this.outputs.nameOf(insideOf(reference), reference.output)} }}`;
  };

  private around(task: TaskModel): Change[] {
    const { name, raw } = task;
    const changes = [...resolved(raw, this.outside, name), ...resolvedCondition(raw, this.outside, name)];
    const needs = needsOf(raw);
    if (!needs.some((need) => this.names.has(need.task))) return changes;
    const joined = needs.map((need) => (this.names.has(need.task) ? { ...need, task: this.scope.name } : need));
    const reads = changes.length > 0 || this.model.links.some(({ from, to, sort }) => from === this.scope.key && to === task.key && sort !== 'order');
    return [...changes, ...needsChange(task, joined, new Set(reads ? [this.scope.name] : []))];
  }

  private given({ name, raw }: TaskModel): Change[] {
    return resolvedIn(raw.outputs, ['outputs'], this.outside, name);
  }

  private ofScope(): Change[] {
    const { scope, model } = this;
    const came = this.moving.flatMap(({ raw }) => needsOf(raw)).filter(({ task }) => !this.names.has(task) && task !== scope.name);
    const needs = [...needsOf(scope.raw).filter(({ task }) => !this.names.has(task)), ...came];
    const keys = new Set([scope, ...this.moving].map(({ key }) => key));
    const read = model.links.filter(({ to, sort }) => keys.has(to) && sort !== 'order').map(({ from }) => taskAt(model, from).name);
    return [
      ...resolvedIn(isMap(scope.raw.outputs) ? scope.raw.outputs : undefined, ['outputs'], this.known, scope.name),
      ...needsChange(scope, needs, new Set(read)),
      ...this.inputs.changes(),
      ...this.outputs.changes(),
    ];
  }
}
