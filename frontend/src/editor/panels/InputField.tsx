import { Link2, X } from 'lucide-react';
import { useEffect, useRef, useState, type ReactNode } from 'react';
import { IconButton } from '../../ui/Button';
import { Textarea } from '../../ui/Fields';
import { cx } from '../../ui/cx';
import { compactJson } from '../../ui/json';
import type { Json, Port } from '../types';
import { faultOf } from './form/check';
import { FieldFrame, idOf, type ControlIds } from './form/FieldFrame';
import { controlOf, type Schema } from './form/schema';
import { PlainControl } from './form/SchemaField';
import { useProblemsAt, useTarget, type Path } from './form/target';
import { parseJson, useTyped } from './form/typed';
import css from './InputField.module.css';
import { ReferencePicker, SourceIcon, wordOf } from './ReferencePicker';
import type { Candidate, Referred } from './references';

interface Props {
  path: Path;
  port: Port;
  value: Json | undefined;
  /** What the value refers to, when it is one reference. */
  referred: Referred | null;
  /** What it may refer to. */
  candidates: () => readonly Candidate[];
  /** Takes the input away altogether; absent for those that the task declares. */
  onRemove?: (() => void) | undefined;
}

/** One input of a task: a value that is written here, or a reference. */
export function InputField({ path, port, value, referred, candidates, onRemove }: Props) {
  const { readOnly, set } = useTarget();
  const problems = useProblemsAt(path, true);
  const [picking, setPicking] = useState(false);
  const focus = useFocusKept(path, referred !== null);
  const schema = schemaOf(port);
  const missing = port.required && value === undefined ? 'A value is needed.' : null;
  const refer = ({ text }: Candidate) => {
    focus.want();
    set(path, text);
  };
  return (
    <FieldFrame
      path={path}
      label={port.name}
      note={noteOf(port)}
      fault={missing ?? (referred ? null : faultOf(schema, value))}
      problems={problems}
      aside={
        !readOnly && (
          <>
            <ReferencePicker
              label={port.name}
              open={picking}
              onOpenChange={setPicking}
              candidates={candidates}
              onChoose={refer}
              empty={`Nothing before this task gives ${port.type === 'any' ? 'a value' : port.type}. Add a task that does, or a parameter of the pipeline.`}
            >
              <IconButton label={`Refer to a value: ${port.name}`} className={css.small}>
                <Link2 />
              </IconButton>
            </ReferencePicker>
            {onRemove && (
              <IconButton label={`Remove ${port.name}`} className={css.small} onClick={onRemove}>
                <X />
              </IconButton>
            )}
          </>
        )
      }
    >
      {(ids) => (
        <div onFocus={focus.want} onBlur={focus.leave}>
          {referred ? (
            <Chip
              ids={ids}
              referred={referred}
              onPick={() => setPicking(true)}
              onClear={() => {
                focus.want();
                set(path, undefined);
              }}
              readOnly={readOnly}
            />
          ) : (
            <Literal path={path} port={port} schema={schema} value={value} ids={ids} onPick={() => setPicking(true)} />
          )}
        </div>
      )}
    </FieldFrame>
  );
}

/** When the text in a field becomes a reference, or stops being one, the focus stays with the field. */
function useFocusKept(path: Path, referred: boolean) {
  const wanted = useRef(false);
  const id = idOf(path);
  const before = useRef(referred);
  useEffect(() => {
    if (before.current !== referred && wanted.current) document.getElementById(id)?.focus();
    before.current = referred;
  }, [id, referred]);
  return {
    want: () => {
      wanted.current = true;
    },
    leave: () => {
      wanted.current = false;
    },
  };
}

function noteOf({ type, required }: Port): string {
  return required ? `${type}, required` : type;
}

const FILES: ReadonlySet<string> = new Set(['table', 'array', 'model', 'file', 'folder', 'image']);
const SCHEMAS: Readonly<Record<string, Schema>> = {
  integer: { type: 'integer' },
  number: { type: 'number' },
  string: { type: 'string' },
  boolean: { type: 'boolean' },
  any: { type: ['string', 'number', 'boolean'] },
};

function schemaOf({ type, choices, default: usual }: Port): Schema {
  const schema: Schema = choices && choices.length > 1 ? { enum: [...choices] } : (SCHEMAS[type] ?? {});
  return usual === undefined ? schema : { ...schema, default: usual };
}

interface LiteralProps {
  path: Path;
  port: Port;
  schema: Schema;
  value: Json | undefined;
  ids: ControlIds;
  onPick: () => void;
}

function Literal({ path, port, schema, value, ids, onPick }: LiteralProps) {
  const { readOnly } = useTarget();
  if (FILES.has(port.type) && value === undefined) {
    return (
      <button {...ids} aria-invalid={undefined} type="button" className={css.choose} disabled={readOnly} onClick={onPick}>
        Link an output…
      </button>
    );
  }
  const nested = typeof value === 'object' && value !== null;
  if (port.type === 'json' || nested) return <JsonControl path={path} value={value} usual={port.default} ids={ids} />;
  const text = typeof value === 'string' && SCHEMAS[port.type]?.type === 'boolean' ? { type: 'string' } : schema;
  const control = controlOf(FILES.has(port.type) ? { type: 'string' } : text);
  if (control.sort !== 'text' && control.sort !== 'number' && control.sort !== 'scalar' && control.sort !== 'switch' && control.sort !== 'choice') {
    return null;
  }
  return (
    <div onInput={(event) => (event.target as HTMLInputElement).value.trimEnd().endsWith('${{') && onPick()}>
      <PlainControl path={path} schema={schema} label={port.name} value={value} control={control} ids={ids} />
    </div>
  );
}

function JsonControl({ path, value, usual, ids }: { path: Path; value: Json | undefined; usual: Json | undefined; ids: ControlIds }) {
  const { readOnly, set } = useTarget();
  const { text, fault, onText } = useTyped(value, parseJson, (next) => set(path, next), (shown) => (shown === undefined ? '' : compactJson(shown)));
  return (
    <>
      <Textarea
        {...ids}
        aria-invalid={ids['aria-invalid'] || fault !== null}
        rows={Math.min(Math.max(text.split('\n').length, 2), 12)}
        className={css.code}
        placeholder={usual === undefined || usual === null ? undefined : compactJson(usual)}
        value={text}
        readOnly={readOnly}
        spellCheck={false}
        onChange={(event) => onText(event.target.value)}
      />
      {fault && <p className={css.fault}>{fault}</p>}
    </>
  );
}

interface ChipProps {
  ids: ControlIds;
  referred: Referred;
  readOnly: boolean;
  onPick: () => void;
  onClear: () => void;
}

/** A reference, by what gives it. Backspace takes it away. */
function Chip({ ids, referred, readOnly, onPick, onClear }: ChipProps) {
  const { source, producer, kind, name, missing } = referred;
  const from: ReactNode = wordOf(source, producer);
  return (
    <div className={cx(css.chip, missing && css.missing)}>
      <button
        {...ids}
        aria-invalid={undefined}
        type="button"
        className={css.reference}
        disabled={readOnly}
        onClick={onPick}
        onKeyDown={(event) => {
          if (event.key !== 'Backspace' && event.key !== 'Delete') return;
          event.stopPropagation();
          onClear();
        }}
      >
        <SourceIcon source={source} kind={kind} />
        <span className={css.name}>{name}</span>
        <span className={css.from}>{from}</span>
      </button>
      {!readOnly && (
        <IconButton label={`Remove the reference to ${producer ? `${producer}.` : ''}${name}`} className={css.small} onClick={onClear}>
          <X />
        </IconButton>
      )}
    </div>
  );
}
