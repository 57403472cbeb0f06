import { Plus } from 'lucide-react';
import { useState } from 'react';
import { Button } from '../../../ui/Button';
import { mapOf, portsOf } from '../../ports';
import { useEditor, useEditorStore } from '../../store';
import type { TaskModel } from '../../types';
import { useTarget } from '../form/target';
import { InputField } from '../InputField';
import css from '../Panel.module.css';
import { ReferencePicker } from '../ReferencePicker';
import { outputsInside, referredBy, type Candidate } from '../references';
import { Section } from '../Section';

/** What a scope gives to its outside: outputs of tasks inside of it, by names of its own. */
export function ScopeOutputs({ task }: { task: TaskModel }) {
  const store = useEditorStore();
  const { readOnly, set } = useTarget();
  const [picking, setPicking] = useState(false);
  const model = useEditor(({ doc }) => doc.model);
  const ports = useEditor(({ doc, catalogue, judged }) => portsOf(task.key, { model: doc.model, catalogue, judged }));
  const written = mapOf(task.raw.outputs);
  const inside = () => {
    const { doc, catalogue, judged } = store.getState();
    return outputsInside(task, { model: doc.model, catalogue, judged });
  };
  const add = ({ name, producer, text }: Candidate) => {
    const free = [name, `${producer.replaceAll('-', '_')}_${name}`].find((each) => !(each in written)) ?? `${name}_${Object.keys(written).length}`;
    set(['outputs', free], text);
  };
  const empty = 'The tasks inside give nothing that is known.';
  return (
    <Section title="Outputs">
      {Object.entries(written).map(([name, value]) => (
        <InputField
          key={name}
          path={['outputs', name]}
          port={{ name, type: ports.outputs.find((port) => port.name === name)?.type ?? 'any', required: true }}
          value={value}
          referred={referredBy(value, task.key, { model })}
          candidates={inside}
          onRemove={() => set(['outputs', name], undefined)}
        />
      ))}
      {Object.keys(written).length === 0 && <p className={css.words}>Outside, nothing of it is seen.</p>}
      {!readOnly && (
        <ReferencePicker label="a new output" open={picking} onOpenChange={setPicking} candidates={inside} onChoose={add} empty={empty}>
          <Button small look="quiet" icon={<Plus />} className={css.start}>
            Add output
          </Button>
        </ReferencePicker>
      )}
    </Section>
  );
}
