import { Field, Input } from '../ui/Fields';

interface Props {
  value: string;
  error: string | null;
  onChange: (value: string) => void;
  label?: string;
  hint?: string;
}

/** Six digits of an authenticator app, or a recovery code. */
export function CodeField({ value, error, onChange, label = 'Code', hint = 'Of your authenticator app, or one of your recovery codes.' }: Props) {
  return (
    <Field label={label} hint={hint} error={error}>
      {(control) => (
        <Input
          {...control}
          name="code"
          inputMode="numeric"
          autoComplete="one-time-code"
          autoCapitalize="none"
          spellCheck={false}
          autoFocus
          value={value}
          onChange={(event) => onChange(event.target.value)}
        />
      )}
    </Field>
  );
}
