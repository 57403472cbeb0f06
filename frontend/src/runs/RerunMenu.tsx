import { ChevronDown, RefreshCw } from 'lucide-react';
import { useState } from 'react';
import type { Run } from '../api/types';
import { Button } from '../ui/Button';
import { Menu, MenuItem } from '../ui/Menu';
import { RerunDialog } from './RerunDialog';
import type { Scope } from './wish';

/** New runs made from this one; left out where the person may not run the pipeline. */
export function RerunMenu({ run, task }: { run: Run; task?: string }) {
  const [chosen, setChosen] = useState<{ scope: Scope; from?: string } | null>(null);
  if (!run.can.rerun) return null;
  return (
    <>
      <Menu
        trigger={
          <Button icon={<RefreshCw />}>
            Rerun <ChevronDown size={14} aria-hidden />
          </Button>
        }
      >
        <MenuItem onSelect={() => setChosen({ scope: 'all' })}>All tasks…</MenuItem>
        <MenuItem onSelect={() => setChosen({ scope: 'from', from: task })}>{task ? `From ${task} on…` : 'From one task on…'}</MenuItem>
        <MenuItem onSelect={() => setChosen({ scope: 'only' })}>Only some tasks…</MenuItem>
      </Menu>
      {chosen && <RerunDialog run={run} {...chosen} onClose={() => setChosen(null)} />}
    </>
  );
}

/** The same for one task, in its panel. */
export function RerunFromHere({ run, task }: { run: Run; task: string }) {
  const [open, setOpen] = useState(false);
  if (!run.can.rerun) return null;
  return (
    <>
      <Button small icon={<RefreshCw />} onClick={() => setOpen(true)}>
        Rerun from here
      </Button>
      {open && <RerunDialog run={run} scope="from" from={task} onClose={() => setOpen(false)} />}
    </>
  );
}
