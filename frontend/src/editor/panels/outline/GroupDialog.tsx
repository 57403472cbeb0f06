import { useState } from 'react';
import { Button } from '../../../ui/Button';
import { Dialog } from '../../../ui/Dialog';
import { Field, Input } from '../../../ui/Fields';
import { group } from '../../document/operations';
import { useEditorStore } from '../../store';

/** Asks for the name of a new group of these tasks. */
export function GroupDialog({ tasks, onClose }: { tasks: readonly string[]; onClose: () => void }) {
  const store = useEditorStore();
  const [name, setName] = useState('group');
  const what = tasks.length === 1 ? (tasks[0] ?? '').split('/').at(-1) : `${tasks.length} tasks`;
  const move = () => {
    const wished = name.trim() || 'group';
    if (store.getState().transact(`Move ${what} into ${wished}`, (doc) => group(doc, tasks, wished))) onClose();
  };
  return (
    <Dialog
      open
      onClose={onClose}
      onSubmit={move}
      title={`Move ${what} into a new group`}
      description="What passes between its tasks and the others becomes its inputs and outputs."
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button look="primary" type="submit">
            Group
          </Button>
        </>
      }
    >
      <Field label="Name of the group">
        {(control) => <Input {...control} value={name} spellCheck={false} onChange={(event) => setName(event.target.value)} />}
      </Field>
    </Dialog>
  );
}
