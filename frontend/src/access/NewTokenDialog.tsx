import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { makeToken, type TokenOwner } from '../api/access';
import type { Me, NewToken, Scope } from '../api/types';
import { Button } from '../ui/Button';
import { Dialog } from '../ui/Dialog';
import { CopyButton, Moment } from '../ui/Facts';
import { Notice } from '../ui/Feedback';
import { Field, Input, Select } from '../ui/Fields';
import { FormDialog } from '../ui/FormDialog';
import css from './Access.module.css';
import { Choices } from './Choices';
import { refusalOf } from '../forms/refusal';
import { SCOPE_WORDS, SCOPES, SERVICE_SCOPES } from './words';

const LONGEST = 366; // days

interface Props {
  owner: TokenOwner;
  /** The teams to choose from; none for a service account, which has one. */
  teams: Me['teams'];
  onClose: () => void;
}

/** Asks what a token may do and for how long; then shows its text, once. */
export function NewTokenDialog({ owner, teams, onClose }: Props) {
  const [made, setMade] = useState<NewToken | null>(null);
  if (made) return <Made token={made} onClose={onClose} />;
  return <Ask owner={owner} teams={teams} onClose={onClose} onMade={setMade} />;
}

function Ask({ owner, teams, onClose, onMade }: Props & { onMade: (token: NewToken) => void }) {
  const [form, setForm] = useState({ name: '', team: teams.length === 1 ? (teams[0]?.slug ?? '') : '', days: '90' });
  const [scopes, setScopes] = useState<Scope[]>(['read']);
  const queryClient = useQueryClient();
  const save = useMutation({
    mutationFn: () => makeToken(owner, { name: form.name.trim(), scopes, days: Number(form.days), team: form.team || null }),
    gcTime: 0,
    onSuccess: async (token) => {
      await Promise.all(['tokens', 'service-accounts'].map((key) => queryClient.invalidateQueries({ queryKey: [key] })));
      onMade(token);
    },
  });
  const refusal = refusalOf(save.error, ['name', 'scopes', 'days', 'team']);
  const change = (part: Partial<typeof form>) => setForm((old) => ({ ...old, ...part }));
  const days = Number(form.days);
  const lasting = Number.isInteger(days) && days >= 1 && days <= LONGEST;
  const ready = form.name.trim() !== '' && scopes.length > 0 && lasting;
  return (
    <FormDialog
      title={owner ? `New token of ${owner.username}` : 'New token'}
      act="Make"
      busy={save.isPending}
      ready={ready}
      onSubmit={() => save.mutate()}
      onClose={onClose}
    >
      <div className={css.stack}>
        {refusal.sentence !== null && <Notice>{refusal.sentence}</Notice>}
        <Field label="What it is for" hint="Such as: nightly upload from the warehouse." error={refusal.of('name')}>
          {(control) => <Input {...control} maxLength={100} value={form.name} autoComplete="off" onChange={(event) => change({ name: event.target.value })} />}
        </Field>
        <Choices legend="What it may do" words={SCOPE_WORDS} choices={owner ? SERVICE_SCOPES : SCOPES} value={scopes} onChange={setScopes} error={refusal.of('scopes')} />
        {teams.length > 0 && (
          <Field label="Within the team" hint="It may never do more than you." error={refusal.of('team')}>
            {(control) => (
              <Select {...control} value={form.team} onChange={(event) => change({ team: event.target.value })}>
                <option value="">Every team of mine</option>
                {teams.map((team) => (
                  <option key={team.slug} value={team.slug}>
                    {team.name}
                  </option>
                ))}
              </Select>
            )}
          </Field>
        )}
        <Field label="Ends after so many days" error={lasting ? refusal.of('days') : `A whole number from 1 to ${LONGEST}.`}>
          {(control) => <Input {...control} inputMode="numeric" value={form.days} onChange={(event) => change({ days: event.target.value })} />}
        </Field>
      </div>
    </FormDialog>
  );
}

function Made({ token, onClose }: { token: NewToken; onClose: () => void }) {
  return (
    <Dialog
      open
      onClose={onClose}
      title="Copy the token now"
      description="It is shown this once and kept nowhere: whoever has it may use it."
      footer={
        <Button look="primary" onClick={onClose}>
          Done
        </Button>
      }
    >
      <div className={css.stack}>
        <div className={css.token}>
          <code>{token.token}</code>
          <CopyButton text={token.token} label="Copy the token" />
        </div>
        {token.expires_at && (
          <p className={css.soft}>
            A program sends it as <code>Authorization: Bearer …</code>. It ends on <Moment at={token.expires_at} />.
          </p>
        )}
      </div>
    </Dialog>
  );
}
