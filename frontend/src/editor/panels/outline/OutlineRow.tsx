import { ChevronRight, Ellipsis, TriangleAlert } from 'lucide-react';
import { useRef, useState, type MouseEvent } from 'react';
import { IconButton } from '../../../ui/Button';
import { KindIcon } from '../../../ui/KindIcon';
import { Menu, MenuItem, MenuLine } from '../../../ui/Menu';
import { plural } from '../../../ui/format';
import { duplicate, removeTasks, renameTask, ungroup } from '../../document/operations';
import { requestJump } from '../../jump';
import { useProblemsOf } from '../../problems';
import { useEditor, useEditorStore } from '../../store';
import type { TaskModel } from '../../types';
import type { Asked } from '../Outline';
import css from '../Outline.module.css';
import type { Row } from './rows';

interface Props {
  id: string;
  row: Row;
  active: boolean;
  selected: boolean;
  renaming: boolean;
  /** Pixels. */
  top: number;
  onPress: (event: MouseEvent) => void;
  onAsk: (asked: Asked) => void;
  /** The name was given, or not: the tree takes the focus again. */
  onDone: () => void;
}

export function OutlineRow({ id, row, active, selected, renaming, top, onPress, onAsk, onDone }: Props) {
  const store = useEditorStore();
  const { task, level, expanded, place, count } = row;
  const readOnly = useEditor((state) => state.readOnly);
  return (
    <div
      id={id}
      role="treeitem"
      aria-level={level}
      aria-expanded={expanded ?? undefined}
      aria-selected={selected}
      aria-posinset={place}
      aria-setsize={count}
      className={css.row}
      data-active={active}
      style={{ transform: `translateY(${top}px)`, paddingLeft: 4 + (level - 1) * 12 }}
      onClick={onPress}
      onDoubleClick={() => requestJump({ key: task.key })}
    >
      <span className={css.fold} aria-hidden onClick={() => expanded !== null && store.getState().fold(task.key, expanded)}>
        {expanded !== null && <ChevronRight data-expanded={expanded} />}
      </span>
      <KindIcon kind={task.kind} size={14} />
      {renaming ? <NewName task={task} onDone={onDone} /> : <Words task={task} />}
      <Badge taskKey={task.key} />
      {!readOnly && !renaming && <Actions task={task} onAsk={onAsk} />}
    </div>
  );
}

function Words({ task: { name, title, kind } }: { task: TaskModel }) {
  return (
    <span className={css.name} title={title || undefined}>
      {name}
      <span className="visually-hidden">, {kind}</span>
    </span>
  );
}

function Badge({ taskKey }: { taskKey: string }) {
  const problems = useProblemsOf(taskKey);
  if (problems.length === 0) return null;
  const isError = problems.some(({ severity }) => severity === 'error');
  return (
    <span className={css.badge} data-severity={isError ? 'error' : 'warning'}>
      <TriangleAlert aria-hidden />
      <span className="visually-hidden">, {plural(problems.length, 'problem')}</span>
    </span>
  );
}

function NewName({ task, onDone }: { task: TaskModel; onDone: () => void }) {
  const store = useEditorStore();
  const [name, setName] = useState(task.name);
  // The field loses the focus when it goes, which is no second answer.
  const done = useRef(false);
  const end = (to: string) => {
    if (done.current) return;
    done.current = true;
    if (to !== '' && to !== task.name) store.getState().transact(`Rename ${task.name} to ${to}`, (doc) => renameTask(doc, task.key, to));
    onDone();
  };
  return (
    <input
      autoFocus
      className={css.rename}
      aria-label={`New name of ${task.name}`}
      value={name}
      spellCheck={false}
      onFocus={(event) => event.target.select()}
      onChange={(event) => setName(event.target.value)}
      onClick={(event) => event.stopPropagation()}
      onBlur={() => end(name.trim())}
      onKeyDown={(event) => {
        event.stopPropagation();
        if (event.key === 'Enter') end(name.trim());
        if (event.key === 'Escape') end(task.name);
      }}
    />
  );
}

function Actions({ task, onAsk }: { task: TaskModel; onAsk: (asked: Asked) => void }) {
  const store = useEditorStore();
  const { transact } = store.getState();
  const { key, name, kind } = task;
  const open = () => {
    store.getState().select([key]);
    requestJump({ key });
  };
  return (
    <span className={css.actions} onClick={(event) => event.stopPropagation()}>
      <Menu
        trigger={
          <IconButton label={`Actions of ${name}`} data-menu={key} tabIndex={-1} className={css.menu}>
            <Ellipsis />
          </IconButton>
        }
      >
        <MenuItem onSelect={open}>Open the form</MenuItem>
        <MenuItem onSelect={() => onAsk({ what: 'rename', key })}>Rename</MenuItem>
        <MenuItem onSelect={() => onAsk({ what: 'link', key })}>Link to…</MenuItem>
        <MenuItem onSelect={() => onAsk({ what: 'group', key })}>Move into a new group…</MenuItem>
        <MenuItem onSelect={() => onAsk({ what: 'move', key })}>Move into…</MenuItem>
        {kind === 'group' && <MenuItem onSelect={() => transact(`Ungroup ${name}`, (doc) => ungroup(doc, key))}>Ungroup</MenuItem>}
        <MenuItem onSelect={() => transact(`Duplicate ${name}`, (doc) => duplicate(doc, [key]))}>Duplicate</MenuItem>
        <MenuLine />
        <MenuItem onSelect={() => transact(`Delete ${name}`, (doc) => removeTasks(doc, [key]))}>Delete</MenuItem>
      </Menu>
    </span>
  );
}
