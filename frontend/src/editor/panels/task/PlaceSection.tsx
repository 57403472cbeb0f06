import { Group, Ungroup } from 'lucide-react';
import { useState } from 'react';
import { Button } from '../../../ui/Button';
import { ungroup } from '../../document/operations';
import { useEditorStore } from '../../store';
import type { TaskModel } from '../../types';
import { useTarget } from '../form/target';
import { GroupDialog } from '../outline/GroupDialog';
import css from '../Panel.module.css';
import { Section } from '../Section';

/** The group that a task is in, and the ways into one and out of it. */
export function PlaceSection({ task }: { task: TaskModel }) {
  const store = useEditorStore();
  const { readOnly } = useTarget();
  const [asking, setAsking] = useState(false);
  const { parent, kind, key, name } = task;
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
          <Button small icon={<Group />} onClick={() => setAsking(true)}>
            Into a new group…
          </Button>
          {kind === 'group' && (
            <Button small icon={<Ungroup />} onClick={() => store.getState().transact(`Ungroup ${name}`, (doc) => ungroup(doc, key))}>
              Ungroup
            </Button>
          )}
        </div>
      )}
      {asking && <GroupDialog tasks={[key]} onClose={() => setAsking(false)} />}
    </Section>
  );
}
