import { Refused, type Json, type Model, type TaskModel } from '../../types';
import type { Reference } from '../references';
import type { Change } from '../splice/change';
import { isMap, valueAt } from '../values';
import { carrying, inputsGiven, inputsOf, insideOf, namesAny, needsChange, others, Ports } from './border';
import { childrenOf, pathOf, taskAt } from './common';
import { below } from './fields';
import { needsOf, type Need } from './needs';
import { condition, resolved, resolvedCondition, resolvedIn, type Meaning } from './resolve';

/** What changes where tasks move out of a scope, to stand beside it. */
export class Leaving {
  private readonly names: ReadonlySet<string>;
  private readonly staying: readonly TaskModel[];
  /** What the scope gave of the tasks that leave, by name of the output. */
  private readonly own: ReadonlyMap<string, Reference>;
  private readonly inputs: Ports;
  private readonly outputs: Ports;

  constructor(
    private readonly model: Model,
    private readonly scope: TaskModel,
    private readonly moving: readonly TaskModel[],
  ) {
    this.names = new Set(moving.map(({ name }) => name));
    this.staying = childrenOf(model, scope.key).filter((task) => !moving.includes(task));
    this.own = carrying(scope.raw.outputs, this.names);
    this.inputs = new Ports('with', scope.raw, this.unused());
    this.outputs = new Ports('outputs', scope.raw, new Set(this.own.keys()));
    if (namesAny(others(scope.raw.outputs, this.own), this.names)) {
      throw new Refused(`'${scope.name}' uses an output of these tasks in a longer text of its 'outputs': change that first.`);
    }
    if (scope.kind === 'map' && this.own.size > 0) {
      throw new Refused(`'${scope.name}' gives a result of these tasks for each of its items: remove it from its outputs first.`);
    }
  }

  changes(): Change[] {
    const { model, scope } = this;
    const beside = childrenOf(model, scope.parent).filter((task) => task !== scope);
    const at = (task: TaskModel, changes: Change[]) => below(pathOf(model, task.key), changes);
    return [
      ...this.moving.flatMap((task) => at(task, this.outward(task))),
      ...this.staying.flatMap((task) => at(task, this.inside(task))),
      ...beside.flatMap((task) => at(task, this.around(task))),
      ...(scope.parent === null ? [] : at(taskAt(model, scope.parent), this.given(taskAt(model, scope.parent)))),
      // The ports and order links are known by now.
      ...at(scope, this.ofScope()),
    ];
  }

  /** Inputs that nobody but the leaving tasks takes. */
  private unused(): Set<string> {
    const taken = new Set([...this.staying.flatMap(({ raw }) => [...inputsOf(raw)]), ...inputsGiven(this.scope.raw)]);
    const free = this.moving.flatMap(({ raw }) => [...inputsOf(raw)]).filter((name) => !taken.has(name));
    const given = isMap(this.scope.raw.with) ? this.scope.raw.with : {};
    return new Set(free.filter((name) => name in given));
  }

  private outward(task: TaskModel): Change[] {
    const { name, raw, key } = task;
    const meaning: Meaning = (reference) => {
      if (reference.root === 'item') this.refuseItem(name, reference.name);
      if (reference.root === 'inputs') return valueAt(this.scope.raw, ['with', reference.name]);
      return reference.root === 'tasks' && !this.names.has(reference.name) ? this.result(reference) : undefined;
    };
    const changes = [...resolved(raw, meaning, name), ...this.conditionOf(task, meaning)];
    const first = !this.model.links.some(({ to }) => to === key);
    const needs = needsOf(raw).map((need) => (this.names.has(need.task) ? need : { ...need, task: this.scope.name }));
    const reads = this.model.links.some(({ from, to, sort }) => to === key && sort !== 'order' && !this.names.has(taskAt(this.model, from).name));
    return [...changes, ...needsChange(task, first ? [...needs, ...needsOf(this.scope.raw)] : needs, new Set(reads ? [this.scope.name] : []))];
  }

  private refuseItem(name: string, item: string): void {
    if (this.scope.kind === 'map') throw new Refused(`'${name}' uses the item '${item}' of '${this.scope.name}': outside of it there is none.`);
  }

  /** What stays in the scope, as it is known outside. */
  private result(reference: Parameters<Meaning>[0]): Json {
    if (this.scope.kind === 'map') throw new Refused(`'${reference.name}' gives '${reference.output}' for each item of '${this.scope.name}': remove that link first.`);
    return `\${{ tasks.${this.scope.name}.outputs.${this.outputs.nameOf(insideOf(reference), reference.output)} }}`;
  }

  /** The task's own condition, and that of the scope before it. */
  private conditionOf({ name, raw }: TaskModel, meaning: Meaning): Change[] {
    const { when } = this.scope.raw;
    if (typeof when !== 'string') return resolvedCondition(raw, meaning, name);
    return [{ path: ['when'], set: typeof raw.when === 'string' ? `(${when}) && (${condition(raw.when, meaning, name)})` : when }];
  }

  private inside(task: TaskModel): Change[] {
    const { name, raw } = task;
    const meaning: Meaning = (reference) =>
      reference.root === 'tasks' && this.names.has(reference.name) ? `\${{ inputs.${this.inputs.nameOf(insideOf(reference), reference.output)} }}` : undefined;
    const changes = [...resolved(raw, meaning, name), ...resolvedCondition(raw, meaning, name)];
    return [...changes, ...needsChange(task, needsOf(raw).filter((need) => !this.names.has(need.task)))];
  }

  private readonly direct: Meaning = ({ root, name, output }) => {
    const reference = root === 'tasks' && name === this.scope.name ? this.own.get(output) : undefined;
    return reference && `\${{ ${insideOf(reference)} }}`;
  };

  private around(task: TaskModel): Change[] {
    const { name, raw } = task;
    const changes = [...resolved(raw, this.direct, name), ...resolvedCondition(raw, this.direct, name)];
    const read = new Set([...this.own.values()].map((reference) => reference.name));
    const needs = needsOf(raw).flatMap((need) => (need.task === this.scope.name ? this.both(need, name) : [need]));
    return [...changes, ...needsChange(task, needs, changes.length > 0 ? read : new Set())];
  }

  /** Who waits for the scope waits for what was last in it, too. */
  private both(need: Need, name: string): Need[] {
    const waitedFor = new Set(this.model.links.map(({ from }) => from));
    const last = this.moving.filter(({ key }) => !waitedFor.has(key));
    if (need.rule === 'failure' && last.length > 0) {
      throw new Refused(`'${name}' runs when '${this.scope.name}' fails, which cannot be said of its tasks one by one.`);
    }
    return [need, ...last.map((task) => ({ task: task.name, rule: need.rule }))];
  }

  private given({ name, raw }: TaskModel): Change[] {
    return resolvedIn(raw.outputs, ['outputs'], this.direct, name);
  }

  private ofScope(): Change[] {
    const { scope, model } = this;
    const came = this.staying.flatMap(({ raw }) => needsOf(raw)).filter(({ task }) => this.names.has(task));
    const staying = new Set(this.staying.map(({ key }) => key));
    const read = model.links.filter(({ to, sort }) => staying.has(to) && sort !== 'order').map(({ from }) => taskAt(model, from).name);
    return [...needsChange(scope, [...needsOf(scope.raw), ...came], new Set(read)), ...this.inputs.changes(), ...this.outputs.changes()];
  }
}
