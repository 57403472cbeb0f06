import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { makeSecret } from '../api/secrets';
import type { Me, SecretSource } from '../api/types';
import { refusalOf } from '../forms/refusal';
import { Notice } from '../ui/Feedback';
import { Field, Input, Select, Textarea } from '../ui/Fields';
import { FormDialog } from '../ui/FormDialog';
import css from './Secrets.module.css';
import { SecretValue } from './SecretValue';
import { managedTeams, referenceTo, SOURCE_WORDS } from './words';

const NAME = /^[a-z0-9][a-z0-9_-]{0,62}$/;
const FIELDS = ['team', 'name', 'description', 'source', 'value', 'address'];
const ADDRESS_HINTS = {
  environment: 'The name of the variable, as the worker has it.',
  file: 'The path of the file on the machine of the worker.',
};

/** Makes a secret of a team; for site admins also one that refers to what the workers have themselves. */
export function AddSecretDialog({ me, onClose }: { me: Me; onClose: () => void }) {
  const teams = managedTeams(me);
  const [form, setForm] = useState({ team: teams[0]?.slug ?? '', name: '', description: '', value: '', address: '' });
  const [source, setSource] = useState<SecretSource>('value');
  const queryClient = useQueryClient();
  const stored = source === 'value';
  const save = useMutation({
    mutationFn: () => {
      const { team, name, description, value, address } = form;
      return makeSecret({ team, name, description, source, ...(stored ? { value } : { address }) });
    },
    gcTime: 0,
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: ['secrets'] });
      onClose();
    },
  });
  const change = (part: Partial<typeof form>) => {
    save.reset();
    setForm((old) => ({ ...old, ...part }));
  };
  const refusal = refusalOf(save.error, FIELDS);
  const named = NAME.test(form.name);
  return (
    <FormDialog
      title="Add a secret"
      act="Add"
      busy={save.isPending}
      ready={named}
      onSubmit={() => save.mutate()}
      onClose={onClose}
    >
      <div className={css.stack}>
        {refusal.sentence && <Notice>{refusal.sentence}</Notice>}
        {teams.length > 1 && (
          <Field label="Team" error={refusal.of('team')}>
            {(control) => (
              <Select {...control} value={form.team} onChange={(event) => change({ team: event.target.value })}>
                {teams.map((team) => (
                  <option key={team.slug} value={team.slug}>
                    {team.name}
                  </option>
                ))}
              </Select>
            )}
          </Field>
        )}
        <Field
          label="Name"
          hint={named ? <>Documents write {<code>{referenceTo(form.name)}</code>}.</> : 'Small letters, digits, hyphens and underscores.'}
          error={refusal.of('name') ?? (form.name !== '' && !named ? 'Small letters, digits, hyphens and underscores; it begins with a letter or a digit.' : null)}
        >
          {(control) => <Input {...control} value={form.name} autoComplete="off" spellCheck={false} onChange={(event) => change({ name: event.target.value })} />}
        </Field>
        <Field label="Description" hint="What it opens, and where a new one is to be had." error={refusal.of('description')}>
          {(control) => <Textarea {...control} rows={2} value={form.description} onChange={(event) => change({ description: event.target.value })} />}
        </Field>
        {me.is_superuser && (
          <Field label="Where its value is" error={refusal.of('source')}>
            {(control) => (
              <Select {...control} value={source} onChange={(event) => setSource(event.target.value as SecretSource)}>
                {Object.entries(SOURCE_WORDS).map(([value, word]) => (
                  <option key={value} value={value}>
                    {word}
                  </option>
                ))}
              </Select>
            )}
          </Field>
        )}
        {source === 'value' ? (
          <SecretValue label="Value" hint="It is stored encrypted and never shown again." value={form.value} error={refusal.of('value')} onChange={(value) => change({ value })} />
        ) : (
          <Field label={SOURCE_WORDS[source]} hint={ADDRESS_HINTS[source]} error={refusal.of('address')}>
            {(control) => <Input {...control} value={form.address} autoComplete="off" spellCheck={false} onChange={(event) => change({ address: event.target.value })} />}
          </Field>
        )}
      </div>
    </FormDialog>
  );
}
