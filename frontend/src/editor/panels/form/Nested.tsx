import { Plus, X } from 'lucide-react';
import { useState, type ReactNode } from 'react';
import { Button, IconButton } from '../../../ui/Button';
import { Input, Select } from '../../../ui/Fields';
import type { Json, JsonMap } from '../../types';
import { FieldFrame, FieldGroup, type ControlIds } from './FieldFrame';
import css from './Nested.module.css';
import { controlOf, descriptionOf, labelOf, starterOf, type Control, type Schema } from './schema';
import { PlainControl, SchemaField, type Named } from './SchemaField';
import { useProblemsAt, useTarget, type Path } from './target';

/* Fields that hold fields. */

type Of<Sort extends Control['sort']> = Extract<Control, { sort: Sort }>;

function mapIn(value: Json | undefined): JsonMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
}

function listIn(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}

export function ObjectField({ path, schema, value, label, inherited, control }: Named & { control: Of<'object'> }) {
  const problems = useProblemsAt(path);
  return (
    <FieldGroup path={path} label={label} hint={descriptionOf(schema)} problems={problems}>
      <Properties path={path} value={value} inherited={inherited} control={control} />
    </FieldGroup>
  );
}

interface PropertiesProps {
  path: Path;
  value: Json | undefined;
  inherited?: Json | undefined;
  control: Of<'object'>;
}

function Properties({ path, value, inherited, control }: PropertiesProps) {
  const held = mapIn(value);
  const usual = mapIn(inherited);
  const { oneOf } = control;
  const chosen = oneOf.filter((name) => name in held);
  const others = Object.entries(control.properties).filter(([name]) => !oneOf.includes(name));
  // What was chosen stands below the choice.
  const shown = [...chosen.map((name) => [name, control.properties[name] ?? {}] as const), ...others];
  return (
    <>
      {oneOf.length > 0 && <OneOf path={path} held={held} control={control} chosen={chosen[0]} />}
      <div className={css.grid}>
        {shown.map(([name, inner]) => (
          <SchemaField
            key={name}
            path={[...path, name]}
            schema={inner}
            value={held[name]}
            inherited={usual[name]}
            required={control.required.includes(name)}
          />
        ))}
      </div>
    </>
  );
}

/** Which of several properties is given; another choice takes the place of the first. */
function OneOf({ path, held, control, chosen }: { path: Path; held: JsonMap; control: Of<'object'>; chosen: string | undefined }) {
  const { readOnly, set } = useTarget();
  const { oneOf, properties } = control;
  const choose = (name: string) => {
    const schema = properties[name];
    const rest = Object.fromEntries(Object.entries(held).filter(([key]) => !oneOf.includes(key)));
    if (schema) set(path, { ...rest, [name]: starterOf(schema) });
  };
  return (
    <label className={css.oneOf}>
      <span className="visually-hidden">Which one</span>
      <Select value={chosen ?? ''} disabled={readOnly} onChange={(event) => choose(event.target.value)}>
        {chosen === undefined && <option value="">Choose…</option>}
        {oneOf.map((name) => (
          <option key={name} value={name}>
            {labelOf(name, properties[name] ?? {})}
          </option>
        ))}
      </Select>
    </label>
  );
}

export function ListField({ path, schema, value, label, control, choices, inherited, required = false }: Named & { control: Of<'list'> }) {
  const { readOnly, set } = useTarget();
  const problems = useProblemsAt(path);
  const items = listIn(value);
  const usual = inherited ?? schema.default;
  const change = (next: readonly Json[]) => set(path, next.length > 0 ? [...next] : undefined);
  const noun = singular(label);
  return (
    <FieldGroup path={path} label={label} hint={descriptionOf(schema)} problems={problems}>
      {items.length === 0 && Array.isArray(usual) && <p className={css.usual}>Default: {usual.map(String).join(', ')}</p>}
      {items.map((item, no) => (
        <Item key={no} path={[...path, no]} label={`${noun} ${no + 1}`} schema={control.items} value={item} choices={choices}>
          <IconButton
            label={`Remove ${noun.toLowerCase()} ${no + 1}`}
            disabled={readOnly || (required && items.length <= control.least)}
            onClick={() => change(items.filter((_, other) => other !== no))}
          >
            <X />
          </IconButton>
        </Item>
      ))}
      <Button small look="quiet" icon={<Plus />} className={css.add} disabled={readOnly} onClick={() => change([...items, starterOf(control.items)])}>
        Add {noun.toLowerCase()}
      </Button>
    </FieldGroup>
  );
}

/** "Checks" -> "Check"; what is no plural stays. */
function singular(label: string): string {
  return /[^s]s$/.test(label) ? label.slice(0, -1) : `${label} item`;
}

interface ItemProps {
  path: Path;
  label: string;
  schema: Schema;
  value: Json;
  choices?: readonly string[] | undefined;
  children: ReactNode;
}

function Item({ path, label, schema, value, choices, children }: ItemProps) {
  const control = controlOf(schema);
  const problems = useProblemsAt(path);
  if (control.sort === 'object') {
    return (
      <FieldGroup path={path} label={label} problems={problems} aside={children}>
        <Properties path={path} value={value} control={control} />
      </FieldGroup>
    );
  }
  return (
    <div className={css.row}>
      <SchemaField path={path} label={label} schema={schema} value={value} {...(choices ? { choices } : {})} />
      {children}
    </div>
  );
}

/** Two values of one sort, from and to. */
export function PairField({ path, value, label, schema, control }: Named & { control: Of<'pair'> }) {
  const problems = useProblemsAt(path, true);
  const [low = null, high = null] = listIn(value);
  return (
    <FieldGroup path={path} label={label} hint={descriptionOf(schema)} problems={problems}>
      <div className={css.pair}>
        <Side path={path} no={0} pair={[low, high]} label="From" items={control.items} />
        <Side path={path} no={1} pair={[low, high]} label="To" items={control.items} />
      </div>
    </FieldGroup>
  );
}

interface SideProps {
  path: Path;
  no: 0 | 1;
  pair: readonly [Json, Json];
  label: string;
  items: Schema;
}

function Side({ path, no, pair, label, items }: SideProps) {
  const control = controlOf(items);
  if (control.sort !== 'scalar' && control.sort !== 'number' && control.sort !== 'text') return null;
  return (
    <FieldFrame path={[...path, no]} label={label} problems={[]}>
      {(ids: ControlIds) => <PlainControl path={[...path, no]} schema={items} value={pair[no]} label={label} control={control} ids={ids} />}
    </FieldFrame>
  );
}

/** Names, each with a value. */
export function MapField({ path, schema, value, label, control }: Named & { control: Of<'map'> }) {
  const { readOnly, set } = useTarget();
  const problems = useProblemsAt(path);
  const held = mapIn(value);
  const rename = (from: string, to: string) => {
    const entries = Object.entries(held).map(([name, each]): [string, Json] => [name === from ? to : name, each]);
    if (to !== '' && !(to in held)) set(path, Object.fromEntries(entries));
  };
  const noun = singular(label).toLowerCase();
  return (
    <FieldGroup path={path} label={label} hint={descriptionOf(schema)} problems={problems}>
      {Object.entries(held).map(([name, each]) => (
        <div key={name} className={css.entry}>
          <NameInput name={name} label={`Name of ${noun}`} readOnly={readOnly} onRename={(to) => rename(name, to)} />
          <SchemaField path={[...path, name]} label={`Value of ${name}`} schema={control.values} value={each} />
          <IconButton label={`Remove ${name}`} disabled={readOnly} onClick={() => set([...path, name], undefined)}>
            <X />
          </IconButton>
        </div>
      ))}
      <NewName noun={noun} taken={Object.keys(held)} readOnly={readOnly} onAdd={(name) => set([...path, name], starterOf(control.values))} />
    </FieldGroup>
  );
}

interface NameProps {
  id?: string;
  name: string;
  label: string;
  readOnly: boolean;
  onRename: (name: string) => void;
}

/** Taken over with Enter or on leaving, as half a name is none. */
export function NameInput({ id, name, label, readOnly, onRename }: NameProps) {
  const [text, setText] = useState<string | null>(null);
  const commit = () => {
    if (text !== null && text.trim() !== name) onRename(text.trim());
    setText(null);
  };
  return (
    <Input
      id={id}
      aria-label={label}
      className={css.name}
      value={text ?? name}
      readOnly={readOnly}
      spellCheck={false}
      onChange={(event) => setText(event.target.value)}
      onBlur={commit}
      onKeyDown={(event) => {
        if (event.key === 'Enter') commit();
        if (event.key === 'Escape') setText(null);
      }}
    />
  );
}

interface NewProps {
  /** "output" */
  noun: string;
  taken: readonly string[];
  readOnly: boolean;
  onAdd: (name: string) => void;
}

const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/;

export function NewName({ noun, taken, readOnly, onAdd }: NewProps) {
  const [text, setText] = useState('');
  const name = text.trim();
  const fault = faultOfName(name, taken);
  const add = () => {
    if (name === '' || fault !== null) return;
    onAdd(name);
    setText('');
  };
  if (readOnly) return null;
  return (
    <div className={css.new}>
      <Input
        aria-label={`Name of a new ${noun}`}
        aria-invalid={fault !== null}
        placeholder={`New ${noun}`}
        value={text}
        spellCheck={false}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => event.key === 'Enter' && add()}
      />
      <Button small icon={<Plus />} disabled={name === '' || fault !== null} onClick={add}>
        Add {noun}
      </Button>
      {fault && <p className={css.fault}>{fault}</p>}
    </div>
  );
}

function faultOfName(name: string, taken: readonly string[]): string | null {
  if (name === '') return null;
  if (taken.includes(name)) return `There is a '${name}' already.`;
  return NAME.test(name) ? null : "Letters, digits and '_', not beginning with a digit.";
}
