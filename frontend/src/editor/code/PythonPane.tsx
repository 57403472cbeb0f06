import { Code, Maximize2 } from 'lucide-react';
import { useEffect, useId, useState, type ReactNode } from 'react';
import { Button, IconButton } from '../../ui/Button';
import { Dialog } from '../../ui/Dialog';
import { setField } from '../document/operations';
import { useJump } from '../jump';
import { portsOf } from '../ports';
import { useProblemsOf } from '../problems';
import { useEditor, useEditorStore } from '../store';
import type { Port, Signature } from '../types';
import css from './Code.module.css';
import { enterSource, followSource, isOfSource, pythonExtensions, sourceOf, spotInSource } from './python';
import { TAB_HINT } from './setup';
import { template } from './template';
import { useCode } from './useCode';

/** The code of a python task, written into the document; a first version of it when there is none. */
export function PythonPane({ taskKey }: { taskKey: string }) {
  const [large, setLarge] = useState(false);
  const signature = useSignature(taskKey);
  const written = useEditor(({ doc }) => typeof doc.model.tasks.get(taskKey)?.raw.source === 'string');
  if (!written) return <NoCode taskKey={taskKey} />;
  // One of both at a time: the field has one id.
  if (large) {
    return (
      <Dialog wide open onClose={() => setLarge(false)} title={`Code of ${taskKey}`} footer={<Button onClick={() => setLarge(false)}>Done</Button>}>
        <CodeOf key={taskKey} taskKey={taskKey} signature={signature} large />
      </Dialog>
    );
  }
  return (
    <CodeOf key={taskKey} taskKey={taskKey} signature={signature}>
      <IconButton label="Larger" onClick={() => setLarge(true)}>
        <Maximize2 />
      </IconButton>
    </CodeOf>
  );
}

function NoCode({ taskKey }: { taskKey: string }) {
  const store = useEditorStore();
  const readOnly = useEditor((state) => state.readOnly);
  const write = () => {
    const { doc, catalogue, judged, transact } = store.getState();
    const { inputs } = portsOf(taskKey, { model: doc.model, catalogue, judged });
    const text = template(doc.model.tasks.get(taskKey)?.name ?? taskKey, inputs);
    transact(`Write code for ${taskKey}`, (now) => setField(now, taskKey, ['source'], text));
  };
  return (
    <div className={css.none}>
      <p>Choose a block above, or write a function here. Its arguments become the inputs, what it returns the outputs.</p>
      {!readOnly && (
        <Button small icon={<Code />} onClick={write}>
          Write code
        </Button>
      )}
    </div>
  );
}

interface CodeProps {
  taskKey: string;
  signature: Seen;
  /** In a dialog of its own; small in the panel. */
  large?: boolean;
  children?: ReactNode;
}

function CodeOf({ taskKey, signature, large = false, children }: CodeProps) {
  const store = useEditorStore();
  const id = useId();
  const [place, view] = useCode(
    () => sourceOf(store.getState(), taskKey),
    () => pythonExtensions(store, taskKey, `${id}-hint ${id}-said`),
  );
  useEffect(() => (view ? followSource(view, store, taskKey) : undefined), [view, store, taskKey]);
  useEffect(() => {
    if (large) view?.focus();
  }, [view, large]);
  useJump(({ key, place: field = '' }) => {
    if (view && key === taskKey && field === 'source') enterSource(view, store, taskKey);
  });
  return (
    <div className={css.python}>
      <div className={css.signature}>
        <SignatureLine {...signature} />
        {children}
      </div>
      <p id={`${id}-hint`} className="visually-hidden">
        {TAB_HINT}
      </p>
      <div ref={place} className={css.source} data-large={large || undefined} />
      <div id={`${id}-said`}>
        <Said taskKey={taskKey} />
      </div>
    </div>
  );
}

/** The signature as it could be read last; `current` while it is that of the code as it stands. */
interface Seen {
  last: Signature | undefined;
  current: boolean;
}

function useSignature(taskKey: string): Seen {
  const now = useEditor(({ judged }) => judged?.signatures[taskKey]);
  const [seen, setSeen] = useState({ taskKey, last: now });
  if (seen.taskKey !== taskKey || (now && now !== seen.last)) setSeen({ taskKey, last: now });
  return { last: seen.last, current: now !== undefined };
}

/** What the function takes and gives. */
function SignatureLine({ last, current }: Seen) {
  if (!last) return <p className={css.waiting}>The signature is read while you write.</p>;
  return (
    <p className={css.ports}>
      <code>{last.name}</code> takes <PortNames ports={last.inputs} none="nothing" />
      {last.open && ' and any further input'}, gives <PortNames ports={last.outputs} none="nothing" />
      {!current && ' (as last read)'}
    </p>
  );
}

function PortNames({ ports, none }: { ports: Signature['inputs']; none: string }) {
  if (ports.length === 0) return none;
  return ports.map((port, index) => (
    <span key={port.name}>
      {index > 0 && ', '}
      <strong>{port.name}</strong> <span className={css.type}>{typeOf(port)}</span>
    </span>
  ));
}

function typeOf({ type, default: value }: Port): string {
  return value === undefined ? type : `${type} = ${JSON.stringify(value)}`;
}

function Said({ taskKey }: { taskKey: string }) {
  const task = useEditor(({ doc }) => doc.model.tasks.get(taskKey));
  const problems = useProblemsOf(taskKey).filter((problem) => task && isOfSource(problem, task));
  return problems.map((problem) => (
    <p key={problem.message} className={css.wrong}>
      {'source_line' in problem.params && <strong>Line {spotInSource(problem).line}: </strong>}
      {problem.message}
    </p>
  ));
}
