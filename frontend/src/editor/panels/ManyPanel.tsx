import { CopyPlus, Group, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { Button } from '../../ui/Button';
import { Input } from '../../ui/Fields';
import { duplicate, group, inOrder, removeTasks, setField } from '../document/operations';
import { useEditor, useEditorStore } from '../store';
import type { Json } from '../types';
import { FieldFrame } from './form/FieldFrame';
import { parseText, sameValue, useTyped } from './form/typed';
import css from './Panel.module.css';
import { Section } from './Section';

/** What can be done with several tasks at once. */
export function ManyPanel({ keys }: { keys: readonly string[] }) {
  const store = useEditorStore();
  const readOnly = useEditor((state) => state.readOnly);
  const { transact } = store.getState();
  const many = `${keys.length} tasks`;
  return (
    <div className={css.panel} data-panel>
      <div className={css.body}>
        <Section title={`${many} selected`}>
          <p className={css.words}>{keys.join(', ')}</p>
          {!readOnly && (
            <div className={css.actions}>
              <Button small icon={<CopyPlus />} onClick={() => transact(`Duplicate ${many}`, (doc) => duplicate(doc, keys))}>
                Duplicate
              </Button>
              <Button small look="danger" icon={<Trash2 />} onClick={() => transact(`Delete ${many}`, (doc) => removeTasks(doc, keys))}>
                Delete
              </Button>
            </div>
          )}
        </Section>
        {!readOnly && <Grouping keys={keys} />}
        <Queue keys={keys} />
      </div>
    </div>
  );
}

function Grouping({ keys }: { keys: readonly string[] }) {
  const store = useEditorStore();
  const [name, setName] = useState('');
  const make = () => store.getState().transact(`Group ${keys.length} tasks`, (doc) => group(doc, keys, name.trim() || 'group'));
  return (
    <Section title="Group">
      <FieldFrame path={['group']} label="Name of the group" problems={[]}>
        {(ids) => (
          <Input {...ids} value={name} placeholder="group" spellCheck={false} onChange={(event) => setName(event.target.value)} onKeyDown={(event) => event.key === 'Enter' && make()} />
        )}
      </FieldFrame>
      <div className={css.actions}>
        <Button small icon={<Group />} onClick={make}>
          Group
        </Button>
      </div>
    </Section>
  );
}

/** The queue of all of them that have one. */
function Queue({ keys }: { keys: readonly string[] }) {
  const store = useEditorStore();
  const readOnly = useEditor((state) => state.readOnly);
  const queues = useEditor(({ catalogue }) => catalogue.queues);
  const model = useEditor(({ doc }) => doc.model);
  const kinds = useEditor(({ catalogue }) => catalogue.kinds);
  const worked = keys.filter((key) => kinds.get(model.tasks.get(key)?.kind ?? '')?.worked);
  const values = worked.map((key) => model.tasks.get(key)?.raw.queue);
  const isSame = values.every((value) => sameValue(value, values[0]));
  const set = (queue: Json | undefined) =>
    store
      .getState()
      .transact(`Set queue of ${worked.length} tasks`, (doc) => inOrder(doc, worked.map((key) => (now) => setField(now, key, ['queue'], queue))), {
        mark: `field:${worked.join()}:queue`,
      });
  const { text, onText } = useTyped(isSame ? values[0] : undefined, parseText, set);
  if (worked.length === 0) return null;
  return (
    <Section title="Run">
      <FieldFrame path={['queue']} label="Queue" problems={[]}>
        {(ids) => (
          <>
            <Input {...ids} list="queues-of-many" value={text} readOnly={readOnly} placeholder={isSame ? undefined : 'different ones'} onChange={(event) => onText(event.target.value)} />
            <datalist id="queues-of-many">
              {queues.map((queue) => (
                <option key={queue} value={queue} />
              ))}
            </datalist>
          </>
        )}
      </FieldFrame>
    </Section>
  );
}
