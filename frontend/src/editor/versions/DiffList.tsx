import type { ReactNode } from 'react';
import { KindIcon } from '../../ui/KindIcon';
import type { Change } from '../merge/values';
import type { Diff, EdgeDiff, Mark, TaskDiff } from './diff';
import css from './DiffList.module.css';
import { Written } from './Written';

const SIGNS: Record<Mark, string> = { added: '+', removed: '−', changed: '~' };
const LOOKS: Record<Mark, string> = { added: 'succeeded', removed: 'failed', changed: 'retrying' };

/** The sign of a change with its word: colour is never alone. */
export function MarkSign({ mark, word = true }: { mark: Mark; word?: boolean }) {
  return (
    <span className={css.mark} data-look={LOOKS[mark]}>
      <span aria-hidden className={css.sign}>
        {SIGNS[mark]}
      </span>
      <span className={word ? undefined : 'visually-hidden'}>{mark}</span>
    </span>
  );
}

/** All that changed, as a list: tasks with their fields, links, parameters, the rest of the head. */
export function DiffList({ diff }: { diff: Diff }) {
  return (
    <div className={css.list}>
      <Group title="Tasks" entries={diff.tasks.map((task) => <TaskRow key={task.key} row={task} />)} />
      <Group title="Links" entries={diff.edges.map((edge) => <EdgeRow key={`${edge.from}>${edge.to}:${edge.rule}`} edge={edge} />)} />
      <Group title="Parameters" entries={diff.parameters.map((change) => <FieldRow key={change.path.join('.')} change={change} />)} />
      <Group title="Pipeline" entries={diff.fields.map((change) => <FieldRow key={change.path.join('.')} change={change} />)} />
    </div>
  );
}

function Group({ title, entries }: { title: string; entries: ReactNode[] }) {
  if (entries.length === 0) return null;
  return (
    <section aria-label={title}>
      <h3 className={css.title}>{title}</h3>
      <ul className={css.rows}>{entries}</ul>
    </section>
  );
}

function TaskRow({ row: { key, mark, task, changes } }: { row: TaskDiff }) {
  return (
    <li className={css.row} data-mark={mark}>
      <div className={css.head}>
        <MarkSign mark={mark} />
        <KindIcon kind={task.kind} size={14} />
        <span className={css.name}>{key}</span>
        <span className={css.kind}>{task.title || task.kind}</span>
      </div>
      {changes.length > 0 && (
        <ul className={css.fields}>
          {changes.map((change) => (
            <FieldRow key={change.path.join('.')} change={change} />
          ))}
        </ul>
      )}
    </li>
  );
}

const markOf = ({ from, to }: Change): Mark => (from === undefined ? 'added' : to === undefined ? 'removed' : 'changed');

function FieldRow({ change }: { change: Change }) {
  return (
    <li className={css.field}>
      <MarkSign mark={markOf(change)} word={false} />
      <span className={css.place}>{change.path.join('.')}</span>
      <span className={css.values}>
        {change.from !== undefined && (
          <del className={css.old}>
            <Written value={change.from} />
          </del>
        )}
        {change.from !== undefined && change.to !== undefined && <span aria-label="becomes">→</span>}
        {change.to !== undefined && <Written value={change.to} />}
      </span>
    </li>
  );
}

const RULES = { success: '', failure: 'on failure', always: 'always' } as const;

function EdgeRow({ edge: { from, to, rule, mark } }: { edge: EdgeDiff }) {
  return (
    <li className={css.row} data-mark={mark}>
      <div className={css.head}>
        <MarkSign mark={mark} />
        <span className={css.name}>
          {from} → {to}
        </span>
        <span className={css.kind}>{RULES[rule]}</span>
      </div>
    </li>
  );
}
