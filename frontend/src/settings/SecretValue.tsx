import { Field, Textarea } from '../ui/Fields';
import css from './Secrets.module.css';

interface Props {
  label: string;
  hint: string;
  value: string;
  error: string | null;
  onChange: (value: string) => void;
}

/** Where a value is put in: hidden while it is typed, of several lines if need be, and kept by no browser. */
export function SecretValue({ label, hint, value, error, onChange }: Props) {
  return (
    <Field label={label} hint={hint} error={error}>
      {(control) => (
        <Textarea
          {...control}
          className={css.value}
          rows={3}
          value={value}
          autoComplete="off"
          autoCorrect="off"
          autoCapitalize="none"
          spellCheck={false}
          data-1p-ignore
          data-lpignore="true"
          onChange={(event) => onChange(event.target.value)}
        />
      )}
    </Field>
  );
}
