import { KindIcon } from '../../../ui/KindIcon';
import { renameTask } from '../../document/operations';
import { useEditorStore } from '../../store';
import type { KindInfo, TaskModel } from '../../types';
import { Said } from '../form/FieldFrame';
import { NameInput } from '../form/Nested';
import { SchemaField } from '../form/SchemaField';
import { useProblemsAt, useTarget } from '../form/target';
import css from '../Panel.module.css';

const TITLE = { type: 'string', maxLength: 200 };
const DESCRIPTION = { type: 'string', maxLength: 10_000, 'x-lines': 3 };

/** Name, kind, title and description. A new name is followed by every reference. */
export function TaskHead({ task, kind }: { task: TaskModel; kind: KindInfo | undefined }) {
  const store = useEditorStore();
  const { readOnly } = useTarget();
  const problems = useProblemsAt([]);
  const rename = (name: string) => {
    store.getState().transact(`Rename ${task.name} to ${name}`, (doc) => renameTask(doc, task.key, name));
  };
  return (
    <header className={css.head}>
      <div className={css.name}>
        <KindIcon kind={task.kind} />
        <NameInput id="field-name" name={task.name} label="Name" readOnly={readOnly} onRename={rename} />
        <span className={css.kind}>{kind?.title ?? (task.kind || 'no kind')}</span>
      </div>
      <Said said={problems} />
      <SchemaField key={`${task.key} title`} path={['title']} schema={TITLE} value={task.raw.title} label="Title" />
      <SchemaField key={`${task.key} description`} path={['description']} schema={DESCRIPTION} value={task.raw.description} label="Description" />
    </header>
  );
}
