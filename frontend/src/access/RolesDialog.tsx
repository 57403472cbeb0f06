import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { changeServiceAccount, makeServiceAccount, setRoles } from '../api/access';
import type { Member, Role, ServiceAccount } from '../api/types';
import { Notice } from '../ui/Feedback';
import { Field, Input } from '../ui/Fields';
import { FormDialog } from '../ui/FormDialog';
import css from './Access.module.css';
import { Choices } from './Choices';
import { refusalOf } from '../forms/refusal';
import { ROLE_WORDS, ROLES, SERVICE_ROLES } from './words';

/** After roles have changed: lists of people, and what oneself may do. */
const STALE = ['members', 'service-accounts', 'me'];

/** What is given to somebody: made new, or changed. */
export type Given = { kind: 'person'; member: Member | null } | { kind: 'service'; account: ServiceAccount | null };

interface Props {
  team: string;
  given: Given;
  onClose: () => void;
}

/** The roles of one person or service account in a team; where nobody is given yet, also who it is. */
export function RolesDialog({ team, given, onClose }: Props) {
  const known = given.kind === 'person' ? given.member : given.account;
  const [form, setForm] = useState({ username: known?.username ?? '', name: '' });
  const [roles, setChosen] = useState<Role[]>((known?.roles ?? ['viewer']) as Role[]);
  const queryClient = useQueryClient();
  const save = useMutation({
    mutationFn: (): Promise<unknown> => saved(team, given, { ...form, username: form.username.trim(), roles }),
    onSuccess: async () => {
      await Promise.all(STALE.map((key) => queryClient.invalidateQueries({ queryKey: [key] })));
      onClose();
    },
  });
  const refusal = refusalOf(save.error, known ? ['roles'] : ['username', 'name', 'roles']);
  const service = given.kind === 'service';
  const ready = form.username.trim() !== '' && (known !== null || service || roles.length > 0);
  const leaves = known !== null && !service && roles.length === 0;
  return (
    <FormDialog
      title={titleOf(given)}
      description={`In the team ${team}`}
      act={known ? (leaves ? 'Take out of the team' : 'Save') : 'Add'}
      look={leaves ? 'danger' : 'primary'}
      busy={save.isPending}
      ready={ready}
      onSubmit={() => save.mutate()}
      onClose={onClose}
    >
      <div className={css.stack}>
        {refusal.sentence !== null && <Notice>{refusal.sentence}</Notice>}
        {known === null && (
          <Field
            label="User name"
            hint={service ? 'Letters, digits and @ . + - _ only. It cannot be changed later.' : 'As they sign in. A site admin makes accounts.'}
            error={refusal.of('username')}
          >
            {(control) => (
              <Input {...control} value={form.username} autoComplete="off" spellCheck={false} onChange={(event) => setForm({ ...form, username: event.target.value })} />
            )}
          </Field>
        )}
        {known === null && service && (
          <Field label="What it is for" error={refusal.of('name')}>
            {(control) => <Input {...control} maxLength={150} value={form.name} autoComplete="off" onChange={(event) => setForm({ ...form, name: event.target.value })} />}
          </Field>
        )}
        <Choices legend="Roles" words={ROLE_WORDS} choices={service ? SERVICE_ROLES : ROLES} value={roles} onChange={setChosen} error={refusal.of('roles')} />
        {leaves && <p className={css.soft}>Without a role they are no longer in the team. What they have made stays.</p>}
      </div>
    </FormDialog>
  );
}

function titleOf(given: Given): string {
  if (given.kind === 'person') return given.member ? `Roles of ${given.member.name || given.member.username}` : 'Add a member';
  return given.account ? `Roles of ${given.account.username}` : 'Add a service account';
}

function saved(team: string, given: Given, wanted: { username: string; name: string; roles: Role[] }): Promise<unknown> {
  if (given.kind === 'person') return setRoles(team, wanted.username, wanted.roles);
  if (given.account) return changeServiceAccount(given.account.username, { roles: wanted.roles });
  return makeServiceAccount({ team, ...wanted });
}
