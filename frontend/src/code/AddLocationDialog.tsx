import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { registerLocation, type RepositoryFields as Fields } from '../api/code';
import { refusalOf } from '../forms/refusal';
import type { Me } from '../api/types';
import { Notice } from '../ui/Feedback';
import { Field, Input, Select } from '../ui/Fields';
import { FormDialog } from '../ui/FormDialog';
import { Segments } from '../ui/Segments';
import css from './Code.module.css';
import { RepositoryFields } from './RepositoryFields';

const NAME = /^[a-z0-9-]{1,63}$/;
const EMPTY: Fields = { address: '', ref: '', folder: '', secret: '', known_hosts: '', lock_file: '', auto_sync: false };

/** Teams to which a person may add a location. */
export function teamsToAddTo(me: Me | undefined): Me['teams'] {
  if (!me) return [];
  return me.teams.filter((team) => me.is_superuser || team.roles.includes('admin'));
}

/** Registers a repository; for site admins also a folder of the server. */
export function AddLocationDialog({ me, onClose }: { me: Me; onClose: () => void }) {
  const teams = teamsToAddTo(me);
  const [kind, setKind] = useState<'git' | 'folder'>('git');
  const [team, setTeam] = useState(teams[0]?.slug ?? '');
  const [name, setName] = useState('');
  const [fields, setFields] = useState(EMPTY);
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const save = useMutation({
    mutationFn: () => {
      const { address, lock_file } = fields;
      return registerLocation({ team, name, kind, address, lock_file, ...(kind === 'git' ? fields : {}) });
    },
    onSuccess: async (location) => {
      await queryClient.invalidateQueries({ queryKey: ['code'] });
      onClose();
      await navigate({ to: '/code/$locationId', params: { locationId: location.id } });
    },
  });
  const refusal = refusalOf(save.error, ['team', 'name', ...Object.keys(fields)]);
  const change = (part: Partial<Fields>) => {
    save.reset();
    setFields((old) => ({ ...old, ...part }));
  };
  const ready = NAME.test(name) && fields.address.trim() !== '';
  return (
    <FormDialog
      title="Add a code location"
      act="Add"
      busy={save.isPending}
      ready={ready}
      onSubmit={() => save.mutate()}
      onClose={onClose}
    >
      <div className={css.stack}>
        {refusal.sentence && <Notice>{refusal.sentence}</Notice>}
        {me.is_superuser && (
          <Segments
            label="Kind of location"
            value={kind}
            onChange={(next) => {
              save.reset();
              setKind(next);
            }}
            items={[
              { value: 'git', label: 'Git repository' },
              { value: 'folder', label: 'Folder of the server' },
            ]}
          />
        )}
        {teams.length > 1 && (
          <Field label="Team" error={refusal.of('team')}>
            {(control) => (
              <Select {...control} value={team} onChange={(event) => setTeam(event.target.value)}>
                {teams.map((each) => (
                  <option key={each.slug} value={each.slug}>
                    {each.name}
                  </option>
                ))}
              </Select>
            )}
          </Field>
        )}
        <Field
          label="Name"
          hint="Documents name it: small letters, digits and hyphens."
          error={refusal.of('name') ?? (name !== '' && !NAME.test(name) ? 'Small letters, digits and hyphens only.' : null)}
        >
          {(control) => (
            <Input
              {...control}
              value={name}
              autoComplete="off"
              spellCheck={false}
              onChange={(event) => {
                save.reset();
                setName(event.target.value);
              }}
            />
          )}
        </Field>
        {kind === 'git' ? (
          <RepositoryFields team={team} value={fields} onChange={change} errorOf={refusal.of} />
        ) : (
          <FolderFields value={fields} onChange={change} errorOf={refusal.of} />
        )}
      </div>
    </FormDialog>
  );
}

interface FolderProps {
  value: Fields;
  onChange: (change: Partial<Fields>) => void;
  errorOf: (field: string) => string | null;
}

function FolderFields({ value, onChange, errorOf }: FolderProps) {
  return (
    <>
      <Field label="Folder" hint="Its absolute path on the server." error={errorOf('address')}>
        {(control) => <Input {...control} value={value.address} autoComplete="off" spellCheck={false} onChange={(event) => onChange({ address: event.target.value })} />}
      </Field>
      <Field label="Lock file" hint="In that folder, with hashes, such as requirements.lock." error={errorOf('lock_file')}>
        {(control) => <Input {...control} value={value.lock_file} autoComplete="off" spellCheck={false} onChange={(event) => onChange({ lock_file: event.target.value })} />}
      </Field>
    </>
  );
}
