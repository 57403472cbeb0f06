import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { archiveLocation, changeLocation, type CodeLocation } from '../api/code';
import { refusalOf } from '../forms/refusal';
import { Notice } from '../ui/Feedback';
import { FormDialog } from '../ui/FormDialog';
import { Question } from '../forms/Question';
import css from './Code.module.css';
import { RepositoryFields } from './RepositoryFields';
import { fieldsOf } from './words';

interface Props {
  location: CodeLocation;
  onClose: () => void;
}

/** Changes where a repository is read from; what decides about its content has it synced again. */
export function ChangeLocationDialog({ location, onClose }: Props) {
  const before = fieldsOf(location);
  const [fields, setFields] = useState(before);
  const queryClient = useQueryClient();
  const save = useMutation({
    mutationFn: () => {
      // Another host wants its credentials named: those of the form are meant, also where they stay.
      const moved = fields.address !== before.address;
      const changed = Object.entries(fields).filter(
        ([name, value]) => value !== before[name as keyof typeof before] || (moved && name === 'secret'),
      );
      return changeLocation(location.id, Object.fromEntries(changed));
    },
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: ['code'] });
      onClose();
    },
  });
  const refusal = refusalOf(save.error, Object.keys(fields));
  return (
    <FormDialog
      title={`Change ${location.name}`}
      act="Save"
      busy={save.isPending}
      ready={fields.address.trim() !== ''}
      onSubmit={() => save.mutate()}
      onClose={onClose}
    >
      <div className={css.stack}>
        {refusal.sentence && <Notice>{refusal.sentence}</Notice>}
        <RepositoryFields
          team={location.team}
          value={fields}
          onChange={(change) => {
            save.reset();
            setFields((old) => ({ ...old, ...change }));
          }}
          errorOf={refusal.of}
        />
      </div>
    </FormDialog>
  );
}

export function ArchiveLocationDialog({ location, onClose }: Props) {
  const navigate = useNavigate();
  return (
    <Question
      title={`Archive ${location.name}?`}
      act="Archive"
      keep="Keep it"
      run={() => archiveLocation(location.id)}
      stale={['code']}
      onClose={onClose}
      onDone={() => navigate({ to: '/code' })}
    >
      <p>Its blocks are offered no more, and drafts that name it cannot be published. Published versions keep the code they were published with.</p>
    </Question>
  );
}
