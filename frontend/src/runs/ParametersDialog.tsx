import { useState } from 'react';
import type { Json } from '../api/types';
import { Button } from '../ui/Button';
import { Dialog } from '../ui/Dialog';
import { Fact, Facts } from '../ui/Facts';
import { plural } from '../ui/format';
import { JsonValue } from '../ui/JsonValue';
import css from './ParametersDialog.module.css';

/** A word in the header that opens the parameters of the run. */
export function ParametersDialog({ parameters }: { parameters: Record<string, Json> }) {
  const [open, setOpen] = useState(false);
  const names = Object.keys(parameters);
  if (names.length === 0) return <span>no parameters</span>;
  return (
    <>
      <button type="button" className={css.word} onClick={() => setOpen(true)}>
        {plural(names.length, 'parameter')}
      </button>
      <Dialog
        open={open}
        onClose={() => setOpen(false)}
        title="Parameters"
        description="What this run was started with, defaults included."
        footer={<Button onClick={() => setOpen(false)}>Close</Button>}
      >
        <Facts>
          {names.map((name) => (
            <Fact key={name} name={name}>
              <JsonValue value={parameters[name] ?? null} />
            </Fact>
          ))}
        </Facts>
      </Dialog>
    </>
  );
}
