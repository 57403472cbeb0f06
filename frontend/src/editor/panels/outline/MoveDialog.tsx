import { useState } from 'react';
import { Button } from '../../../ui/Button';
import { Dialog } from '../../../ui/Dialog';
import { Field, Select } from '../../../ui/Fields';
import { moveInto } from '../../document/operations';
import { useEditor, useEditorStore } from '../../store';
import type { Model } from '../../types';

/** The pipeline itself, which has no key. */
const OUTERMOST = '';

/** Asks for the scope that takes these tasks. */
export function MoveDialog({ tasks, onClose }: { tasks: readonly string[]; onClose: () => void }) {
  const store = useEditorStore();
  const model = useEditor(({ doc }) => doc.model);
  const choices = scopesFor(model, tasks);
  const [chosen, setChosen] = useState(choices[0] ?? OUTERMOST);
  const [refused, setRefused] = useState<string | null>(null);
  const what = tasks.length === 1 ? (tasks[0] ?? '').split('/').at(-1) : `${tasks.length} tasks`;
  const move = () => {
    const { transact } = store.getState();
    const scope = chosen === OUTERMOST ? null : chosen;
    if (transact(`Move ${what} ${scope === null ? 'out' : `into ${scope}`}`, (doc) => moveInto(doc, tasks, scope))) onClose();
    else setRefused(store.getState().refusal);
  };
  return (
    <Dialog
      open
      onClose={onClose}
      onSubmit={move}
      title={`Move ${what} into…`}
      description="What passes between its tasks and the others becomes inputs and outputs of the group."
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button look="primary" type="submit" disabled={choices.length === 0}>
            Move
          </Button>
        </>
      }
    >
      <Field label="Group" error={choices.length === 0 ? 'There is no other group: make a new one.' : refused}>
        {(control) => (
          <Select
            {...control}
            value={chosen}
            onChange={(event) => {
              setChosen(event.target.value);
              setRefused(null);
            }}
          >
            {choices.map((key) => (
              <option key={key} value={key}>
                {key === OUTERMOST ? 'The pipeline itself' : key}
              </option>
            ))}
          </Select>
        )}
      </Field>
    </Dialog>
  );
}

/** The scopes that may take these tasks: none inside of them, and none that holds them all already. */
export function scopesFor({ tasks }: Model, keys: readonly string[]): string[] {
  const inside = (key: string) => keys.some((each) => key === each || key.startsWith(`${each}/`));
  const scopes = [...tasks.values()].filter(({ key, scope }) => scope && !inside(key)).map(({ key }) => key);
  const parents = new Set(keys.map((key) => tasks.get(key)?.parent ?? OUTERMOST));
  return [...scopes, OUTERMOST].filter((key) => parents.size > 1 || !parents.has(key));
}
