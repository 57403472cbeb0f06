import { Field, Input } from '../ui/Fields';

interface Props {
  label: string;
  value: string;
  error?: string | null;
  hint?: string;
  fresh?: boolean;
  autoFocus?: boolean;
  onChange: (value: string) => void;
}

/** `fresh`: one that is being chosen, so that the browser offers to make and to keep it. */
export function PasswordField({ label, value, error = null, hint, fresh = false, autoFocus = false, onChange }: Props) {
  return (
    <Field label={label} hint={hint} error={error}>
      {(control) => (
        <Input
          {...control}
          name="password"
          type="password"
          autoComplete={fresh ? 'new-password' : 'current-password'}
          autoFocus={autoFocus}
          value={value}
          onChange={(event) => onChange(event.target.value)}
        />
      )}
    </Field>
  );
}
