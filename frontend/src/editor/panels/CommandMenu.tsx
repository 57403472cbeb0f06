import { Command as Menu } from 'cmdk';
import { Dialog } from 'radix-ui';
import { useMemo, useRef, useState, type ReactNode } from 'react';
import { COMMANDS } from '../commands';
import type { Command, Stage } from '../commands/types';
import { requestJump } from '../jump';
import css from './CommandMenu.module.css';
import { HitText } from './FindBox';
import { findTasks, type Hit } from './finding';
import { Keys } from './Keys';

const GROUPS: readonly Command['group'][] = ['Edit', 'Arrange', 'View', 'Pipeline'];
/** So many tasks are listed below the commands. */
const TASKS = 8;

interface Props {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  stage: Stage;
}

/** Every command by its name, and every task to go to. What is chosen happens once the menu is gone and the focus is back. */
export function CommandMenu({ open, onOpenChange, stage }: Props) {
  const chosen = useRef<(() => void) | null>(null);
  const choose = (act: () => void) => {
    chosen.current = act;
    onOpenChange(false);
  };
  const act = () => {
    if (chosen.current) setTimeout(chosen.current);
    chosen.current = null;
  };
  return (
    <Dialog.Root open={open} onOpenChange={onOpenChange}>
      <Dialog.Portal>
        <Dialog.Overlay className={css.veil} />
        <Dialog.Content className={css.menu} aria-describedby={undefined} onCloseAutoFocus={act}>
          <Dialog.Title className="visually-hidden">All commands</Dialog.Title>
          <Choices stage={stage} choose={choose} />
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function Choices({ stage, choose }: { stage: Stage; choose: (act: () => void) => void }) {
  const [query, setQuery] = useState('');
  const { model } = stage.store.getState().doc;
  const tasks = useMemo(() => (query.trim() === '' ? [] : findTasks(model, query).slice(0, TASKS)), [model, query]);
  const fitting = COMMANDS.filter((command) => fits(command, query));
  return (
    <Menu label="All commands" shouldFilter={false} loop>
      <Menu.Input className={css.input} placeholder="A command, or a task to go to" value={query} onValueChange={setQuery} />
      <Menu.List className={css.list}>
        <Menu.Empty className={css.empty}>No command and no task is called that.</Menu.Empty>
        {GROUPS.map((group) => (
          <Group key={group} heading={group}>
            {fitting
              .filter((command) => command.group === group)
              .map((command) => (
                <CommandItem key={command.id} command={command} stage={stage} onSelect={() => choose(() => command.perform(stage))} />
              ))}
          </Group>
        ))}
        <Group heading="Tasks">
          {tasks.map((hit) => (
            <Menu.Item key={hit.task.key} value={`task ${hit.task.key}`} className={css.item} onSelect={() => choose(() => goTo(hit, stage))}>
              <HitText hit={hit} />
            </Menu.Item>
          ))}
        </Group>
      </Menu.List>
    </Menu>
  );
}

function Group({ heading, children }: { heading: string; children: ReactNode[] }) {
  if (children.length === 0) return null;
  return (
    <Menu.Group heading={heading} className={css.group}>
      {children}
    </Menu.Group>
  );
}

function CommandItem({ command, stage, onSelect }: { command: Command; stage: Stage; onSelect: () => void }) {
  const [keys] = command.keys ?? [];
  return (
    <Menu.Item value={command.id} className={css.item} disabled={command.enabled?.(stage) === false} onSelect={onSelect}>
      <span className={css.label}>{command.label}</span>
      {keys !== undefined && <Keys of={keys} />}
    </Menu.Item>
  );
}

function fits({ label, group }: Command, query: string): boolean {
  const name = `${label} ${group}`.toLowerCase();
  return query.toLowerCase().split(/\s+/).every((word) => name.includes(word));
}

function goTo({ task, place }: Hit, { store }: Stage): void {
  store.getState().select([task.key]);
  requestJump({ key: task.key, ...(place === '' ? {} : { place }) });
}
