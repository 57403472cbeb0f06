import type { Parameter, Parameters } from '../api/types';
import { Checkbox, Field, Input, Select, Textarea } from '../ui/Fields';
import { limitsOf, textOf, type Draft } from './parameters';
import css from './ParameterForm.module.css';

interface Props {
  parameters: Parameters;
  draft: Draft;
  errors: Record<string, string>;
  onChange: (name: string, text: string) => void;
  onLeave: (name: string) => void;
}

/** One field per parameter, made from its type, limits, choices and default. */
export function ParameterForm({ parameters, draft, errors, onChange, onLeave }: Props) {
  return (
    <div className={css.form}>
      {Object.entries(parameters).map(([name, spec]) => (
        <ParameterField
          key={name}
          name={name}
          spec={spec}
          text={draft[name] ?? ''}
          error={errors[name] ?? null}
          onChange={(text) => onChange(name, text)}
          onLeave={() => onLeave(name)}
        />
      ))}
    </div>
  );
}

interface FieldProps {
  name: string;
  spec: Parameter;
  text: string;
  error: string | null;
  onChange: (text: string) => void;
  onLeave: () => void;
}

function ParameterField({ name, spec, text, error, onChange, onLeave }: FieldProps) {
  const limits = limitsOf(spec);
  const label = (
    <>
      <span className={css.name}>{name}</span>
      {limits && <span className={css.limits}>{limits}</span>}
    </>
  );
  return (
    <Field label={label} hint={hintOf(spec, text)} error={error}>
      {(control) => {
        const common = { ...control, name, value: text, onBlur: onLeave };
        if (spec.enum) {
          return (
            <Select {...common} onChange={(event) => onChange(event.target.value)}>
              {spec.default === undefined && <option value="">Choose…</option>}
              {spec.enum.map((choice) => {
                const value = textOf(choice, spec.type);
                return (
                  <option key={value} value={value}>
                    {value}
                  </option>
                );
              })}
            </Select>
          );
        }
        if (spec.type === 'boolean') {
          return (
            <Checkbox
              {...control}
              name={name}
              label={text === 'true' ? 'true' : 'false'}
              checked={text === 'true'}
              onChange={(event) => onChange(String(event.target.checked))}
            />
          );
        }
        if (spec.type === 'json') {
          return <Textarea {...common} className={css.json} rows={4} spellCheck={false} onChange={(event) => onChange(event.target.value)} />;
        }
        const inputMode = spec.type === 'integer' ? 'numeric' : spec.type === 'number' ? 'decimal' : 'text';
        return <Input {...common} inputMode={inputMode} autoComplete="off" onChange={(event) => onChange(event.target.value)} />;
      }}
    </Field>
  );
}

/** The description; and the default, once the field says something else. */
function hintOf(spec: Parameter, text: string): string | undefined {
  const usual = spec.default === undefined ? null : textOf(spec.default, spec.type);
  const changed = usual !== null && usual !== '' && usual !== text && spec.type !== 'json' ? `Default: ${usual}` : null;
  return [spec.description, changed].filter(Boolean).join(' · ') || undefined;
}
