import { useState } from 'react';
import { Button } from '../../../ui/Button';
import { Dialog } from '../../../ui/Dialog';
import { Field, Select } from '../../../ui/Fields';
import { between, judge, type End } from '../../../graph/judge';
import { connect, connectOrder } from '../../document/operations';
import { portsOf, type Known } from '../../ports';
import { useEditor, useEditorStore } from '../../store';
import type { Port } from '../../types';

/** Stands for "only the order". */
const ORDER = '';
const NEW = '\n';

/** Links a task to another one without a pointer: what is given, to whom, and as what. */
export function LinkDialog({ from, onClose }: { from: string; onClose: () => void }) {
  const store = useEditorStore();
  const model = useEditor(({ doc }) => doc.model);
  const catalogue = useEditor((state) => state.catalogue);
  const judged = useEditor((state) => state.judged);
  const known: Known = { model, catalogue, judged };
  const task = model.tasks.get(from);
  const targets = [...model.tasks.values()].filter(({ key, parent }) => parent === task?.parent && key !== from);
  const outputs = portsOf(from, known).outputs;
  const [output, setOutput] = useState(outputs[0]?.name ?? ORDER);
  const [to, setTo] = useState(targets[0]?.key ?? '');
  const [chosen, setChosen] = useState<string | null>(null);
  const given = outputs.find(({ name }) => name === output) ?? null;
  const choices = given ? inputsFor(given, from, to, known) : [];
  const input = chosen !== null && choices.includes(chosen) ? chosen : (choices[0] ?? ORDER);
  const refusal = refusalOf(given, from, to, input, known);
  const name = input === NEW ? freeInput(output, to, known) : input;

  const link = () => {
    if (refusal !== null) return;
    const target = model.tasks.get(to)?.name ?? to;
    const made = store.getState().transact(`Link ${task?.name ?? from} to ${target}`, (doc) =>
      given && input !== ORDER ? connect(doc, { task: from, output }, { task: to, input: name }) : connectOrder(doc, from, to),
    );
    if (made) onClose();
  };
  return (
    <Dialog
      open
      onClose={onClose}
      onSubmit={link}
      title={`Link ${task?.name ?? from} to…`}
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button look="primary" type="submit" disabled={refusal !== null}>
            Link
          </Button>
        </>
      }
    >
      <Choice label="Output" value={output} onChange={setOutput} choices={outputs.map(({ name, type }) => [name, `${name} (${type})`])} order />
      <Choice label="Task" value={to} onChange={setTo} choices={targets.map(({ key, name }) => [key, name])} error={refusal} />
      {given && choices.length > 0 && <Choice label="Input" value={input} onChange={setChosen} choices={choices.map((each) => [each, each === NEW ? `New: ${freeInput(output, to, known)}` : each])} />}
    </Dialog>
  );
}

interface ChoiceProps {
  label: string;
  value: string;
  choices: readonly (readonly [value: string, words: string])[];
  onChange: (value: string) => void;
  /** Offers "only the order" as well. */
  order?: boolean;
  error?: string | null;
}

function Choice({ label, value, choices, onChange, order = false, error = null }: ChoiceProps) {
  return (
    <Field label={label} error={error}>
      {(control) => (
        <Select {...control} value={value} onChange={(event) => onChange(event.target.value)}>
          {choices.map(([key, words]) => (
            <option key={key} value={key}>
              {words}
            </option>
          ))}
          {order && <option value={ORDER}>Nothing: only the order</option>}
        </Select>
      )}
    </Field>
  );
}

function endOf(task: string, port: Port | null): End {
  return { task, port };
}

function groundOf({ model }: Known) {
  return { links: model.links, scopeOf: (key: string) => model.tasks.get(key)?.parent ?? null };
}

/** Inputs of the target that the output may go into; a further one where the target takes any. */
function inputsFor(given: Port, from: string, to: string, known: Known): string[] {
  const { inputs, openInputs } = portsOf(to, known);
  const fits = (port: Port) => judge(groundOf(known), endOf(from, given), endOf(to, port)) === null;
  const fitting = inputs.filter(fits).map(({ name }) => name);
  return openInputs && fits({ name: NEW, type: 'any', required: false }) ? [...fitting, NEW] : fitting;
}

/** A name for a further input: that of the output, numbered when it is taken. */
function freeInput(wish: string, to: string, known: Known): string {
  const taken = new Set(portsOf(to, known).inputs.map(({ name }) => name));
  let name = wish;
  for (let no = 2; taken.has(name); no += 1) name = `${wish}_${no}`;
  return name;
}

function refusalOf(given: Port | null, from: string, to: string, input: string, known: Known): string | null {
  if (to === '') return 'There is no other task beside it.';
  if (given === null) return judge(groundOf(known), endOf(from, null), endOf(to, null));
  if (input !== ORDER) return null;
  const [first] = portsOf(to, known).inputs;
  if (first) return judge(groundOf(known), endOf(from, given), endOf(to, first)) ?? 'None of its inputs takes this.';
  return between(groundOf(known), from, to) ?? 'It takes no inputs.';
}
