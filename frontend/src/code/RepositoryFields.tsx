import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { RepositoryFields as Fields } from '../api/code';
import { secretNamesQuery } from '../api/catalogue';
import { Checkbox, Field, Input, Select, Textarea } from '../ui/Fields';
import css from './Code.module.css';
import { isOfShell } from './words';

interface Props {
  team: string;
  value: Fields;
  onChange: (change: Partial<Fields>) => void;
  errorOf: (field: string) => string | null;
}

/** Where a repository is, what of it is meant, and how it is opened. */
export function RepositoryFields({ team, value, onChange, errorOf }: Props) {
  const shell = isOfShell(value.address);
  const secrets = useQuery(secretNamesQuery(team));
  const names = secrets.data ?? [];
  return (
    <>
      <Text name="address" label="Address" hint="https://host/path, ssh://git@host/path or git@host:path; user and password never belong in it." {...{ value, onChange, errorOf }} />
      <Text name="ref" label="Branch, tag or commit" hint="Left empty: the branch that the repository begins with." {...{ value, onChange, errorOf }} />
      <Text name="folder" label="Folder" hint="Inside the repository; left empty: all of it." {...{ value, onChange, errorOf }} />
      <Text name="lock_file" label="Lock file" hint="In that folder, with hashes, such as requirements.lock. Left empty: tasks run in the product's own environment." {...{ value, onChange, errorOf }} />
      <Field
        label="Secret with the credentials"
        hint={
          <>
            {shell ? 'A private key in the OpenSSH format, without a passphrase.' : 'A token, or user:password.'} It is one of the team's{' '}
            <Link to="/settings/secrets" className={css.link}>
              secrets
            </Link>
            .
          </>
        }
        error={errorOf('secret')}
      >
        {(control) => (
          <Select {...control} value={value.secret} onChange={(event) => onChange({ secret: event.target.value })}>
            <option value="">none: everybody may read it</option>
            {[...new Set([...names, ...(value.secret ? [value.secret] : [])])].map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </Select>
        )}
      </Field>
      {shell && (
        <Field
          label="Known hosts"
          hint="Lines of a known_hosts file. Left empty, the key that the host shows first is recorded, and no other is taken afterwards."
          error={errorOf('known_hosts')}
        >
          {(control) => (
            <Textarea {...control} className={css.mono} rows={3} spellCheck={false} value={value.known_hosts} onChange={(event) => onChange({ known_hosts: event.target.value })} />
          )}
        </Field>
      )}
      <Checkbox label="Sync by itself when there are new commits" checked={value.auto_sync} onChange={(event) => onChange({ auto_sync: event.target.checked })} />
    </>
  );
}

interface TextProps extends Omit<Props, 'team'> {
  name: 'address' | 'ref' | 'folder' | 'lock_file';
  label: string;
  hint: string;
}

function Text({ name, label, hint, value, onChange, errorOf }: TextProps) {
  return (
    <Field label={label} hint={hint} error={errorOf(name)}>
      {(control) => <Input {...control} value={value[name]} autoComplete="off" spellCheck={false} onChange={(event) => onChange({ [name]: event.target.value })} />}
    </Field>
  );
}
