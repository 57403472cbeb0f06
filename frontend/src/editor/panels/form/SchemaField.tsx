import { useId } from 'react';
import { Checkbox, Input, Select, Textarea } from '../../../ui/Fields';
import { Segments } from '../../../ui/Segments';
import type { Json } from '../../types';
import { faultOf } from './check';
import css from './Nested.module.css';
import { FieldFrame, FieldGroup, idOf, type ControlIds } from './FieldFrame';
import { ListField, MapField, ObjectField, PairField } from './Nested';
import { controlOf, descriptionOf, labelOf, type Control, type Schema } from './schema';
import { useProblemsAt, useTarget, type Path } from './target';
import { parseNumber, parseScalar, parseText, sameValue, textOf, useTyped } from './typed';
import { YamlField } from './YamlField';

export interface FieldProps {
  path: Path;
  schema: Schema;
  value: Json | undefined;
  label?: string;
  /** What an absent value means here, where that is not the schema's default. */
  inherited?: Json | undefined;
  /** Names that are suggested: queues, people. */
  choices?: readonly string[];
  required?: boolean;
}

/** The field of one value, made from its schema. It commits on change; cleared, it takes its key away. */
export function SchemaField(props: FieldProps) {
  const control = controlOf(props.schema);
  const label = props.label ?? labelOf(String(props.path.at(-1)), props.schema);
  const named = { ...props, label };
  switch (control.sort) {
    case 'object':
      return <ObjectField {...named} control={control} />;
    case 'list':
      return <ListField {...named} control={control} />;
    case 'pair':
      return <PairField {...named} control={control} />;
    case 'map':
      return <MapField {...named} control={control} />;
    case 'choices':
      return <ChoicesField {...named} control={control} />;
    case 'tick':
      return <TickField {...named} control={control} />;
    case 'yaml':
      return <YamlField {...named} />;
    default:
      return <PlainField {...named} control={control} />;
  }
}

export type Named = FieldProps & { label: string };
type Of<Sort extends Control['sort']> = Extract<Control, { sort: Sort }>;
type Plain = Of<'text' | 'number' | 'switch' | 'choice' | 'scalar'>;

function PlainField({ control, ...props }: Named & { control: Plain }) {
  const { path, schema, value, label, required = false } = props;
  const problems = useProblemsAt(path);
  const missing = required && value === undefined ? 'A value is needed.' : null;
  return (
    <FieldFrame
      path={path}
      label={label}
      note={required ? 'required' : undefined}
      hint={descriptionOf(schema)}
      fault={faultOf(schema, value) ?? missing}
      problems={problems}
    >
      {(ids) => <PlainControl {...props} control={control} ids={ids} />}
    </FieldFrame>
  );
}

/** The control of a scalar, without its frame. */
export function PlainControl({ control, ids, ...props }: Named & { control: Plain; ids: ControlIds }) {
  const { readOnly, set } = useTarget();
  const { path, value, label } = props;
  // An item of a list that is emptied stays one, so that typing goes on in it.
  const isItem = typeof path.at(-1) === 'number';
  const commit = (next: Json | undefined) => set(path, next === undefined && isItem ? '' : next);
  const usual = props.inherited ?? props.schema.default;
  switch (control.sort) {
    case 'switch':
      return <Switch ids={ids} label={label} value={value} usual={usual} disabled={readOnly} onChange={commit} />;
    case 'choice':
      return <Choice ids={ids} choices={control.choices} value={value} usual={usual} disabled={readOnly} onChange={commit} />;
    default:
      return <Typing {...props} control={control} ids={ids} usual={usual} commit={commit} readOnly={readOnly} />;
  }
}

interface TypingProps extends Named {
  control: Of<'text' | 'number' | 'scalar'>;
  ids: ControlIds;
  usual: Json | undefined;
  readOnly: boolean;
  commit: (value: Json | undefined) => void;
}

function Typing({ control, ids, value, usual, choices, readOnly, commit }: TypingProps) {
  const parse = control.sort === 'number' ? parseNumber : control.sort === 'scalar' ? parseScalar(control.types) : parseText;
  const { text, onText } = useTyped(value, parse, commit);
  const list = useId();
  const common = { ...ids, value: text, readOnly, spellCheck: false, placeholder: placeholderOf(usual) };
  if (control.sort === 'text' && control.lines > 1) {
    return <Textarea {...common} className={css.lines} rows={rowsFor(text, control.lines)} onChange={(event) => onText(event.target.value)} />;
  }
  return (
    <>
      <Input
        {...common}
        autoComplete="off"
        inputMode={control.sort === 'number' ? 'decimal' : 'text'}
        list={choices ? list : undefined}
        onChange={(event) => onText(event.target.value)}
      />
      {choices && (
        <datalist id={list}>
          {[...new Set(choices)].map((choice) => (
            <option key={choice} value={choice} />
          ))}
        </datalist>
      )}
    </>
  );
}

/** A short text grows with its lines; code has its place from the start. */
function rowsFor(text: string, lines: number): number {
  const written = Math.ceil(text.length / 48) + text.split('\n').length - 1;
  return Math.min(Math.max(written, lines > 4 ? lines : 1), 2 * lines);
}

export function placeholderOf(usual: Json | undefined): string | undefined {
  return usual === undefined || usual === null ? undefined : textOf(usual);
}

interface ChoiceProps {
  ids: ControlIds;
  choices: readonly Json[];
  value: Json | undefined;
  usual: Json | undefined;
  disabled: boolean;
  onChange: (value: Json | undefined) => void;
}

/** A value of a list. What is written and not of the list is shown as well, so that it can be seen and changed. */
export function Choice({ ids, choices, value, usual, disabled, onChange }: ChoiceProps) {
  const strange = value !== undefined && !choices.some((choice) => sameValue(choice, value));
  const all = strange ? [...choices, value] : choices;
  const index = all.findIndex((choice) => sameValue(choice, value));
  return (
    <Select {...ids} disabled={disabled} value={String(index)} onChange={(event) => onChange(all[Number(event.target.value)])}>
      <option value="-1">{usual === undefined ? 'Choose…' : `Default: ${textOf(usual)}`}</option>
      {all.map((choice, no) => (
        <option key={no} value={String(no)}>
          {textOf(choice)}
        </option>
      ))}
    </Select>
  );
}

interface SwitchProps {
  ids: ControlIds;
  label: string;
  value: Json | undefined;
  usual: Json | undefined;
  disabled: boolean;
  onChange: (value: Json | undefined) => void;
}

/** true, false, or nothing said. */
export function Switch({ ids, label, value, usual, disabled, onChange }: SwitchProps) {
  const usually = usual === undefined ? 'not set' : `default: ${textOf(usual)}`;
  return (
    <div {...ids} role="group" aria-label={label} aria-invalid={undefined} tabIndex={-1}>
      <Segments
        label={label}
        value={value === undefined ? 'usual' : String(value === true)}
        items={[
          { value: 'true', label: 'true' },
          { value: 'false', label: 'false' },
          { value: 'usual', label: usually },
        ]}
        onChange={(next) => !disabled && onChange(next === 'usual' ? undefined : next === 'true')}
      />
    </div>
  );
}

function TickField({ path, schema, value, label, control }: Named & { control: Of<'tick'> }) {
  const { readOnly, set } = useTarget();
  const problems = useProblemsAt(path);
  return (
    <FieldFrame path={path} label={label} hint={descriptionOf(schema)} fault={faultOf(schema, value)} problems={problems}>
      {(ids) => (
        <Checkbox
          {...ids}
          label={textOf(control.value)}
          checked={sameValue(value, control.value)}
          disabled={readOnly}
          onChange={(event) => set(path, event.target.checked ? control.value : undefined)}
        />
      )}
    </FieldFrame>
  );
}

/** Any number of a few values; none written down means the default. */
function ChoicesField({ path, schema, value, label, control, inherited }: Named & { control: Of<'choices'> }) {
  const { readOnly, set } = useTarget();
  const problems = useProblemsAt(path, true);
  const usual = inherited ?? schema.default;
  const chosen = Array.isArray(value) ? value : Array.isArray(usual) ? usual : [];
  const toggle = (choice: Json) => {
    const next = control.choices.filter((each) => sameValue(each, choice) !== chosen.some((other) => sameValue(other, each)));
    set(path, sameValue(next, usual) ? undefined : next);
  };
  return (
    <FieldGroup path={path} label={label} hint={descriptionOf(schema)} problems={problems}>
      {control.choices.map((choice, no) => (
        <Checkbox
          key={no}
          id={no === 0 ? `${idOf(path)}.0` : undefined}
          label={textOf(choice)}
          checked={chosen.some((each) => sameValue(each, choice))}
          disabled={readOnly}
          onChange={() => toggle(choice)}
        />
      ))}
    </FieldGroup>
  );
}
