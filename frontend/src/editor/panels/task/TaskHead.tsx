import { Textarea } from '../../../ui/Fields';
import { KindIcon } from '../../../ui/KindIcon';
import { renameTask } from '../../document/operations';
import { useEditorStore } from '../../store';
import type { KindInfo, TaskModel } from '../../types';
import { FieldFrame, Said } from '../form/FieldFrame';
import { NameInput } from '../form/Nested';
import { SchemaField } from '../form/SchemaField';
import { useProblemsAt, useTarget } from '../form/target';
import { parseText, useTyped } from '../form/typed';
import css from '../Panel.module.css';

const TITLE = { type: 'string', maxLength: 200 };

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
        <NameInput name={task.name} label="Name" readOnly={readOnly} onRename={rename} />
        <span className={css.kind}>{kind?.title ?? (task.kind || 'no kind')}</span>
      </div>
      <Said said={problems} />
      <SchemaField key={`${task.key} title`} path={['title']} schema={TITLE} value={task.raw.title} label="Title" />
      <Description key={task.key} task={task} />
    </header>
  );
}

function Description({ task }: { task: TaskModel }) {
  const { readOnly, set } = useTarget();
  const problems = useProblemsAt(['description']);
  const { text, onText } = useTyped(task.raw.description, parseText, (next) => set(['description'], next));
  return (
    <FieldFrame path={['description']} label="Description" problems={problems}>
      {(ids) => (
        <Textarea {...ids} rows={Math.min(Math.max(text.split('\n').length, 1), 6)} className={css.description} value={text} readOnly={readOnly} onChange={(event) => onText(event.target.value)} />
      )}
    </FieldFrame>
  );
}
