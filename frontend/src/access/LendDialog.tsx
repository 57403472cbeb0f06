import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { lend } from '../api/access';
import { Notice } from '../ui/Feedback';
import { Field, Input, Select } from '../ui/Fields';
import { FormDialog } from '../ui/FormDialog';
import css from './Access.module.css';
import { refusalOf } from '../forms/refusal';
import { KIND_WORDS, LENT_WORDS } from './words';

/** A thing of a team that can be lent to another one. */
export interface Lendable {
  kind: 'pipeline' | 'codelocation' | 'secret' | 'endpoint' | 'model';
  id: string;
  team: string;
  name: string;
}

/** Asks to which team a thing is lent and for what. */
export function LendDialog({ thing, onClose }: { thing: Lendable; onClose: () => void }) {
  const words = LENT_WORDS[thing.kind] ?? {};
  const [team, setTeam] = useState('');
  const [verb, setVerb] = useState(Object.keys(words)[0] ?? 'use');
  const queryClient = useQueryClient();
  const save = useMutation({
    mutationFn: () => lend({ kind: thing.kind, object: thing.id, team: team.trim(), verb }),
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: ['grants'] });
      onClose();
    },
  });
  const refusal = refusalOf(save.error, ['team', 'verb']);
  const ready = team.trim() !== '';
  return (
    <FormDialog
      title={`Share ${thing.name}`}
      description={`A ${KIND_WORDS[thing.kind]} of the team ${thing.team}. It stays theirs, and can be taken back at any time.`}
      act="Share"
      busy={save.isPending}
      ready={ready}
      onSubmit={() => save.mutate()}
      onClose={onClose}
    >
      <div className={css.stack}>
        {refusal.sentence !== null && <Notice>{refusal.sentence}</Notice>}
        <Field label="With the team" hint="Its name as it stands in addresses, such as risk: ask the other team." error={refusal.of('team')}>
          {(control) => <Input {...control} value={team} autoComplete="off" spellCheck={false} onChange={(event) => setTeam(event.target.value)} />}
        </Field>
        <Field label="They may" hint={words[verb]} error={refusal.of('verb')}>
          {(control) => (
            <Select {...control} value={verb} onChange={(event) => setVerb(event.target.value)}>
              {Object.keys(words).map((each) => (
                <option key={each} value={each}>
                  {each} it
                </option>
              ))}
            </Select>
          )}
        </Field>
        <p className={css.soft}>
          Documents of theirs name it <code>{`${thing.team}:${thing.name}`}</code>.
        </p>
      </div>
    </FormDialog>
  );
}
