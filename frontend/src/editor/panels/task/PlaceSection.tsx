import { FolderInput, Group, Ungroup } from 'lucide-react';
import { useState } from 'react';
import { Button } from '../../../ui/Button';
import { ungroup } from '../../document/operations';
import { useEditor, useEditorStore } from '../../store';
import type { TaskModel } from '../../types';
import { useTarget } from '../form/target';
import { GroupDialog } from '../outline/GroupDialog';
import { MoveDialog, scopesFor } from '../outline/MoveDialog';
import css from '../Panel.module.css';
import { Section } from '../Section';

/** The group that a task is in, and the ways into one and out of it. */
export function PlaceSection({ task }: { task: TaskModel }) {
  const store = useEditorStore();
  const { readOnly } = useTarget();
  const [asking, setAsking] = useState<'group' | 'move' | null>(null);
  const { parent, kind, key, name } = task;
  const movable = useEditor(({ doc }) => scopesFor(doc.model, [key]).length > 0);
  const close = () => setAsking(null);
  return (
    <Section title="Group">
      {parent === null ? (
        <p className={css.words}>In no group.</p>
      ) : (
        <Button small look="quiet" className={css.start} onClick={() => store.getState().select([parent])}>
          In {parent}
        </Button>
      )}
      {!readOnly && (
        <div className={css.actions}>
          <Button small icon={<Group />} onClick={() => setAsking('group')}>
            Into a new group…
          </Button>
          {movable && (
            <Button small icon={<FolderInput />} onClick={() => setAsking('move')}>
              Move into…
            </Button>
          )}
          {kind === 'group' && (
            <Button small icon={<Ungroup />} onClick={() => store.getState().transact(`Ungroup ${name}`, (doc) => ungroup(doc, key))}>
              Ungroup
            </Button>
          )}
        </div>
      )}
      {asking === 'group' && <GroupDialog tasks={[key]} onClose={close} />}
      {asking === 'move' && <MoveDialog tasks={[key]} onClose={close} />}
    </Section>
  );
}
