import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { changePipeline, type PipelineChange } from '../api/pipelines';
import type { Person, Pipeline } from '../api/types';
import { refusalOf } from '../forms/refusal';
import { Button } from '../ui/Button';
import { Dialog } from '../ui/Dialog';
import { Notice } from '../ui/Feedback';
import { Field, Textarea } from '../ui/Fields';
import css from './OwnershipDialog.module.css';
import { PersonPicker } from './PersonPicker';

interface Fields {
  owner: Person | null;
  deputy: Person | null;
  purpose: string;
  runbook: string;
}

/** Owner, deputy, purpose and runbook of a pipeline; only what was changed is sent. */
export function OwnershipDialog({ pipeline, onClose }: { pipeline: Pipeline; onClose: () => void }) {
  const [fields, setFields] = useState<Fields>(pipeline);
  const queryClient = useQueryClient();
  const save = useMutation({
    mutationFn: () => changePipeline(pipeline, changeOf(pipeline, fields)),
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: ['pipelines'] });
      onClose();
    },
  });
  const change = (part: Partial<Fields>) => {
    save.reset();
    setFields((old) => ({ ...old, ...part }));
  };
  const refusal = refusalOf(save.error, NAMES);
  const nothing = Object.keys(changeOf(pipeline, fields)).length === 0;
  return (
    <Dialog
      open
      onClose={onClose}
      onSubmit={() => (nothing ? onClose() : save.mutate())}
      title={`Ownership of ${pipeline.title || pipeline.name}`}
      description={`People of the team ${pipeline.team}. A production deployment asks for all four.`}
      footer={
        <>
          <Button onClick={onClose}>Close</Button>
          <Button type="submit" look="primary" busy={save.isPending}>
            Save
          </Button>
        </>
      }
    >
      <div className={css.stack}>
        {refusal.sentence && <Notice>{refusal.sentence}</Notice>}
        <Field label="Owner" hint="Is told when a run fails." error={refusal.of('owner')}>
          {(control) => (
            <PersonPicker team={pipeline.team} value={fields.owner} onChange={(owner) => change({ owner })} clear="No owner" control={control} />
          )}
        </Field>
        <Field label="Deputy" hint="Stands in for the owner." error={refusal.of('deputy')}>
          {(control) => (
            <PersonPicker team={pipeline.team} value={fields.deputy} onChange={(deputy) => change({ deputy })} clear="No deputy" control={control} />
          )}
        </Field>
        <Field label="Purpose" hint="What it is for, and for whom." error={refusal.of('purpose')}>
          {(control) => <Textarea {...control} rows={3} value={fields.purpose} onChange={(event) => change({ purpose: event.target.value })} />}
        </Field>
        <Field label="Runbook" hint="What to do when it fails: an address, or the steps themselves." error={refusal.of('runbook')}>
          {(control) => <Textarea {...control} rows={4} value={fields.runbook} onChange={(event) => change({ runbook: event.target.value })} />}
        </Field>
      </div>
    </Dialog>
  );
}

const NAMES: readonly string[] = ['owner', 'deputy', 'purpose', 'runbook'];

function changeOf(pipeline: Pipeline, fields: Fields): PipelineChange {
  const change: PipelineChange = {};
  if (fields.owner?.username !== pipeline.owner?.username) change.owner = fields.owner?.username ?? null;
  if (fields.deputy?.username !== pipeline.deputy?.username) change.deputy = fields.deputy?.username ?? null;
  if (fields.purpose !== pipeline.purpose) change.purpose = fields.purpose;
  if (fields.runbook !== pipeline.runbook) change.runbook = fields.runbook;
  return change;
}
