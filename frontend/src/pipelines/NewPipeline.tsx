import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { Plus } from 'lucide-react';
import { useState } from 'react';
import { createPipeline } from '../api/drafts';
import { meQuery } from '../api/me';
import { addressOf } from '../api/pipelines';
import { Problem, sentenceOf } from '../api/problem';
import type { Me } from '../api/types';
import { rememberTeam, usualTeam } from '../forms/lastTeam';
import { Button } from '../ui/Button';
import { Dialog } from '../ui/Dialog';
import { Notice } from '../ui/Feedback';
import { Field, Input, Select } from '../ui/Fields';
import css from './RunDialog.module.css';

type Team = Me['teams'][number];

const NAME = /^[a-z0-9-]+$/;
const LONGEST = { name: 63, title: 200 };

/** The button and its dialog; left out for who may not edit in any team. */
export function NewPipelineButton() {
  const { data: me } = useQuery(meQuery);
  const [open, setOpen] = useState(false);
  const teams = me?.teams.filter(({ roles }) => me.is_superuser || roles.includes('editor')) ?? [];
  if (teams.length === 0) return null;
  return (
    <>
      <Button look="primary" icon={<Plus />} onClick={() => setOpen(true)}>
        New pipeline
      </Button>
      {open && <NewPipeline teams={teams} onClose={() => setOpen(false)} />}
    </>
  );
}

/** What a pipeline begins with: everything but tasks. */
function startOf(name: string, title: string): string {
  const lines = ['schema: orchestrator/v1', `name: ${name}`, ...(title ? [`title: ${JSON.stringify(title)}`] : []), 'tasks: {}'];
  return `${lines.join('\n')}\n`;
}

function wrongWith(name: string): string | null {
  if (name === '') return 'A name is needed: digits-training, for example.';
  if (!NAME.test(name)) return 'Small letters, digits and hyphens only.';
  return name.length > LONGEST.name ? `At most ${LONGEST.name} characters; this has ${name.length}.` : null;
}

/** What the server says against the name, and what it says beside. */
function refusalOf(error: Error | null): { name: string | null; other: string | null } {
  if (error === null) return { name: null, other: null };
  const field = error instanceof Problem ? error.fields.find((each) => each.field === 'name') : undefined;
  if (field) return { name: field.message, other: null };
  const taken = error instanceof Problem && error.code === 'name-taken';
  return taken ? { name: sentenceOf(error), other: null } : { name: null, other: sentenceOf(error) };
}

function useCreation(onClose: () => void) {
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: ({ team, name, title }: { team: string; name: string; title: string }) =>
      createPipeline(team, name, startOf(name, title)),
    onSuccess: async (pipeline, { team }) => {
      rememberTeam(team);
      void queryClient.invalidateQueries({ queryKey: ['pipelines', 'list'] });
      await navigate({ to: '/pipelines/$name/edit', params: { name: addressOf(pipeline) } });
      onClose();
    },
  });
}

function NewPipeline({ teams, onClose }: { teams: Team[]; onClose: () => void }) {
  const [team, setTeam] = useState(usualTeam(teams)?.slug ?? '');
  const [name, setName] = useState('');
  const [title, setTitle] = useState('');
  const [wrong, setWrong] = useState<string | null>(null);
  const create = useCreation(onClose);
  const refusal = refusalOf(create.error);
  const change = (text: string) => {
    setName(text);
    setWrong(null);
    create.reset();
  };
  const submit = () => {
    const why = wrongWith(name);
    setWrong(why);
    if (why === null) create.mutate({ team, name, title: title.trim() });
    else document.getElementsByName('name')[0]?.focus();
  };
  return (
    <Dialog
      open
      onClose={onClose}
      onSubmit={submit}
      title="New pipeline"
      description="An empty draft, which opens in the editor. Nothing runs before you publish it."
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="primary" busy={create.isPending}>
            Create
          </Button>
        </>
      }
    >
      <div className={css.stack}>
        {refusal.other !== null && <Notice>{refusal.other}</Notice>}
        <Field label="Name" hint="In addresses and commands; it stays." error={wrong ?? refusal.name}>
          {(control) => <Input {...control} name="name" autoComplete="off" spellCheck={false} value={name} onChange={(event) => change(event.target.value)} />}
        </Field>
        {teams.length > 1 && (
          <Field label="Team">
            {(control) => (
              <Select {...control} value={team} onChange={(event) => setTeam(event.target.value)}>
                {teams.map(({ slug, name: words }) => (
                  <option key={slug} value={slug}>
                    {words}
                  </option>
                ))}
              </Select>
            )}
          </Field>
        )}
        <Field label="Title" hint="What people read; it can be left empty and changed at any time.">
          {(control) => <Input {...control} maxLength={LONGEST.title} autoComplete="off" value={title} onChange={(event) => setTitle(event.target.value)} />}
        </Field>
      </div>
    </Dialog>
  );
}
