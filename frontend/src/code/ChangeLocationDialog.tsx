import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { archiveLocation, changeLocation, type CodeLocation } from '../api/code';
import { Problem, sentenceOf } from '../api/problem';
import { Button } from '../ui/Button';
import { Dialog } from '../ui/Dialog';
import { Notice } from '../ui/Feedback';
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
  const refused = save.error instanceof Problem ? save.error.fields : [];
  return (
    <Dialog
      open
      onClose={onClose}
      onSubmit={() => save.mutate()}
      title={`Change ${location.name}`}
      footer={
        <>
          <Button onClick={onClose}>Close</Button>
          <Button type="submit" look="primary" busy={save.isPending} disabled={fields.address.trim() === ''}>
            Save
          </Button>
        </>
      }
    >
      <div className={css.stack}>
        {save.isError && refused.length === 0 && <Notice>{sentenceOf(save.error)}</Notice>}
        <RepositoryFields
          team={location.team}
          value={fields}
          onChange={(change) => {
            save.reset();
            setFields((old) => ({ ...old, ...change }));
          }}
          errorOf={(field) => refused.find((each) => each.field === field)?.message ?? null}
        />
      </div>
    </Dialog>
  );
}

export function ArchiveLocationDialog({ location, onClose }: Props) {
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const archive = useMutation({
    mutationFn: () => archiveLocation(location.id),
    onSuccess: async () => {
      await navigate({ to: '/code' });
      await queryClient.invalidateQueries({ queryKey: ['code'] });
    },
  });
  return (
    <Dialog
      open
      onClose={onClose}
      title={`Archive ${location.name}?`}
      footer={
        <>
          <Button onClick={onClose}>Keep it</Button>
          <Button look="danger" busy={archive.isPending} onClick={() => archive.mutate()}>
            Archive
          </Button>
        </>
      }
    >
      <div className={css.stack}>
        {archive.isError && <Notice>{sentenceOf(archive.error)}</Notice>}
        <p>Its blocks are offered no more, and drafts that name it cannot be published. Published versions keep the code they were published with.</p>
      </div>
    </Dialog>
  );
}
