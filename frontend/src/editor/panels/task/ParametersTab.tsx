import { X } from 'lucide-react';
import { lazy, Suspense, useMemo } from 'react';
import { Button } from '../../../ui/Button';
import { SkeletonRows } from '../../../ui/Feedback';
import { declaredPorts, mapOf, portsOf } from '../../ports';
import { useEditor, useEditorStore } from '../../store';
import type { Json, JsonMap, KindInfo, Port, TaskModel } from '../../types';
import { compactJson } from '../../../ui/json';
import { Said } from '../form/FieldFrame';
import { NewName } from '../form/Nested';
import { SchemaField } from '../form/SchemaField';
import { useProblemsAt, useTarget } from '../form/target';
import { InputField } from '../InputField';
import css from '../Panel.module.css';
import { PortList } from '../PortList';
import { candidatesFor, referredBy } from '../references';
import { Section } from '../Section';
import { ScopeOutputs } from './ScopeOutputs';

const PythonPane = lazy(async () => ({ default: (await import('../../code/PythonPane')).PythonPane }));

interface Props {
  task: TaskModel;
  kind: KindInfo | undefined;
}

/** What a task takes, what its kind says, and what it gives. */
export function ParametersTab({ task, kind }: Props) {
  return (
    <>
      {task.kind === 'python' && <Code task={task} kind={kind} />}
      <Inputs task={task} />
      <OwnKeys task={task} kind={kind} />
      <Outputs task={task} kind={kind} />
      <UnknownKeys task={task} kind={kind} />
    </>
  );
}

function Code({ task, kind }: Props) {
  const blocks = useEditor(({ catalogue }) => catalogue.blocks);
  const { run, source } = task.raw;
  const schema = kind?.keys.run;
  const ids = useMemo(() => [...blocks.keys()], [blocks]);
  const doc = typeof run === 'string' ? blocks.get(run)?.doc : undefined;
  return (
    <Section title="Code">
      {schema && source === undefined && (
        <SchemaField path={['run']} schema={doc ? { ...schema, description: doc } : schema} value={run} label="Block" choices={ids} />
      )}
      {run === undefined && (
        <Suspense fallback={<SkeletonRows rows={3} label="Loading the code" />}>
          <PythonPane taskKey={task.key} />
        </Suspense>
      )}
    </Section>
  );
}

/** The declared inputs, then those that are only given. */
function Inputs({ task }: { task: TaskModel }) {
  const { readOnly, set } = useTarget();
  const store = useEditorStore();
  const ports = useEditor(({ doc, catalogue, judged }) => portsOf(task.key, { model: doc.model, catalogue, judged }));
  const given = mapOf(task.raw.with);
  const declared = new Set(declaredPorts(task, store.getState()).inputs.map(({ name }) => name));
  const known = new Set(ports.inputs.map(({ name }) => name));
  const strange = Object.keys(given).filter((name) => !known.has(name));
  if (ports.inputs.length === 0 && strange.length === 0 && !ports.openInputs) return null;
  return (
    <Section title="Inputs">
      {ports.inputs.map((port) => (
        <Input key={port.name} task={task} port={port} value={given[port.name]} removable={!declared.has(port.name)} />
      ))}
      {strange.map((name) => (
        <Input key={name} task={task} port={{ name, type: 'any', required: false }} value={given[name]} removable />
      ))}
      {ports.inputs.length === 0 && strange.length === 0 && <p className={css.words}>It takes whatever it is given.</p>}
      {ports.openInputs && <NewName noun="input" taken={[...known]} readOnly={readOnly} onAdd={(name) => set(['with', name], '')} />}
    </Section>
  );
}

function Input({ task, port, value, removable }: { task: TaskModel; port: Port; value: Json | undefined; removable: boolean }) {
  const store = useEditorStore();
  const { set } = useTarget();
  const model = useEditor(({ doc }) => doc.model);
  const path = useMemo(() => ['with', port.name], [port.name]);
  // What nobody declared may become anything, whatever it is now.
  const asked = removable ? { ...port, type: 'any' } : port;
  const known = () => {
    const { doc, catalogue, judged } = store.getState();
    return { model: doc.model, catalogue, judged };
  };
  return (
    <InputField
      path={path}
      port={asked}
      value={value}
      referred={referredBy(value, task.parent, { model })}
      candidates={() => candidatesFor(task, asked, known())}
      onRemove={removable && value !== undefined ? () => set(path, undefined) : undefined}
    />
  );
}

/** Keys that have a place of their own in the panel. */
const ELSEWHERE: ReadonlySet<string> = new Set(['with', 'tasks', 'cache']);
const OF_PYTHON: ReadonlySet<string> = new Set(['run', 'source']);

function isElsewhere(key: string, task: TaskModel): boolean {
  return ELSEWHERE.has(key) || (task.kind === 'python' && OF_PYTHON.has(key)) || (task.scope && (key === 'outputs' || key === 'over'));
}

function OwnKeys({ task, kind }: Props) {
  const members = useEditor(({ catalogue }) => catalogue.members);
  const keys = Object.entries(kind?.keys ?? {}).filter(([key]) => !isElsewhere(key, task));
  return (
    <>
      {kind?.keys.over && task.scope && <Over task={task} />}
      {keys.length > 0 && (
        <Section title={kind?.title ?? task.kind}>
          {keys.map(([key, schema]) => (
            <SchemaField
              key={key}
              path={[key]}
              schema={schema}
              value={task.raw[key]}
              required={kind?.required.includes(key) ?? false}
              {...(key === 'by' ? { choices: [...ROLES, ...members] } : {})}
            />
          ))}
        </Section>
      )}
    </>
  );
}

const ROLES = ['viewer', 'editor', 'operator', 'approver', 'auditor', 'admin'];

/** The list of a map. */
function Over({ task }: { task: TaskModel }) {
  const store = useEditorStore();
  const model = useEditor(({ doc }) => doc.model);
  const port: Port = { name: 'over', type: 'json', required: true };
  const candidates = () => {
    const { doc, catalogue, judged } = store.getState();
    return candidatesFor(task, port, { model: doc.model, catalogue, judged });
  };
  return (
    <Section title="List">
      <InputField path={['over']} port={port} value={task.raw.over} referred={referredBy(task.raw.over, task.parent, { model })} candidates={candidates} />
    </Section>
  );
}

function Outputs({ task, kind }: Props) {
  const ports = useEditor(({ doc, catalogue, judged }) => portsOf(task.key, { model: doc.model, catalogue, judged }));
  if (task.scope) return <ScopeOutputs task={task} />;
  // Those that the task declares are among the keys of its kind.
  if (ports.outputs.length === 0 || kind?.keys.outputs) return null;
  return (
    <Section title="Outputs">
      <PortList ports={ports.outputs} />
    </Section>
  );
}

/** What is written and means nothing to this kind; nothing is lost silently. */
function UnknownKeys({ task, kind }: Props) {
  const common = useEditor(({ catalogue }) => catalogue.common);
  const work = useEditor(({ catalogue }) => catalogue.work);
  if (!kind) return null;
  const known: Readonly<Record<string, JsonMap>> = { ...common, ...(kind.worked ? work : {}), ...kind.keys };
  const strange = Object.entries(task.raw).filter(([key]) => !(key in known));
  if (strange.length === 0) return null;
  return (
    <Section title="Other keys">
      {strange.map(([key, value]) => (
        <UnknownKey key={key} name={key} value={value} />
      ))}
    </Section>
  );
}

function UnknownKey({ name, value }: { name: string; value: Json }) {
  const { readOnly, set } = useTarget();
  const problems = useProblemsAt([name], true);
  return (
    <div id={`field-${name}`} className={css.strange}>
      <code>{`${name}: ${compactJson(value)}`}</code>
      <Button small look="quiet" icon={<X />} disabled={readOnly} onClick={() => set([name], undefined)}>
        Remove {name}
      </Button>
      <Said said={problems} />
    </div>
  );
}
