import { Button } from '../../ui/Button';
import { Dialog } from '../../ui/Dialog';
import { COMMANDS } from '../commands';
import type { Command } from '../commands/types';
import { Keys } from './Keys';
import css from './ShortcutSheet.module.css';

const GROUPS: readonly Command['group'][] = ['Edit', 'Arrange', 'View', 'Pipeline'];
/** What is no command of the page, but of the code: label and keys. */
const IN_CODE: readonly (readonly [string, string])[] = [
  ['Search in the code', 'Mod+F'],
  ['Next problem', 'F8'],
  ['Leave the code: Escape, then Tab', 'Escape'],
];

/** Every command that has keys, and its keys. */
export function ShortcutSheet({ open, onClose }: { open: boolean; onClose: () => void }) {
  return (
    <Dialog open={open} onClose={onClose} title="Keyboard shortcuts" footer={<Button onClick={onClose}>Close</Button>}>
      {/* Focusable, so that the arrow keys scroll it. */}
      <div className={css.groups} tabIndex={0} role="group" aria-label="Shortcuts">
        {GROUPS.map((group) => (
          <Group key={group} title={group} rows={rowsOf(group)} />
        ))}
        <Group title="In YAML and Python" rows={IN_CODE.map(([label, keys]) => ({ label, keys: [keys] }))} />
      </div>
    </Dialog>
  );
}

interface Row {
  label: string;
  keys: readonly string[];
}

function rowsOf(group: Command['group']): Row[] {
  return COMMANDS.filter((command) => command.group === group).flatMap(({ label, keys = [] }) => (keys.length > 0 ? [{ label, keys }] : []));
}

function Group({ title, rows }: { title: string; rows: Row[] }) {
  if (rows.length === 0) return null;
  return (
    <section>
      <h3 className={css.title}>{title}</h3>
      <dl className={css.rows}>
        {rows.map(({ label, keys }) => (
          <div key={label} className={css.row}>
            <dt>{label}</dt>
            <dd className={css.keys}>
              {keys.map((key, index) => (
                <span key={key} className={css.way}>
                  {index > 0 && 'or'}
                  <Keys of={key} />
                </span>
              ))}
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
