import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { Play } from 'lucide-react';
import { useRef, useState } from 'react';
import { pipelineCodeQuery } from '../api/code';
import { newKey } from '../api/newKey';
import { holds } from '../api/pausing';
import { addressOf, startRun } from '../api/pipelines';
import { Problem, sentenceOf } from '../api/problem';
import type { Json, Pipeline } from '../api/types';
import { EnvironmentTrouble } from '../environments/EnvironmentTrouble';
import { Button } from '../ui/Button';
import { Dialog } from '../ui/Dialog';
import { Notice } from '../ui/Feedback';
import { useNow } from '../ui/useNow';
import { ParameterForm } from '../forms/ParameterForm';
import { collect, draftOf, parse, serverErrors } from '../forms/parameters';
import css from './RunDialog.module.css';

/** The button and its dialog; left out where the person may not run the pipeline. */
export function RunButton({ pipeline, small = false }: { pipeline: Pipeline; small?: boolean }) {
  const [open, setOpen] = useState(false);
  const why = whyNot(pipeline, useNow(15_000));
  return (
    <>
      <Button
        small={small}
        look={small ? 'plain' : 'primary'}
        icon={<Play />}
        disabled={why !== null}
        title={why ?? undefined}
        aria-label={small ? `Run ${pipeline.name}` : undefined}
        onClick={() => setOpen(true)}
      >
        Run
      </Button>
      {open && <RunDialog pipeline={pipeline} onClose={() => setOpen(false)} />}
    </>
  );
}

function whyNot(pipeline: Pipeline, now: number): string | null {
  if (!pipeline.can.run) return 'You need the role operator in this team to run it.';
  if (pipeline.active_version === null) return 'Publish a version first.';
  if (holds(pipeline, now)) return 'This pipeline is paused.';
  return null;
}

function useRunForm(pipeline: Pipeline, onClose: () => void) {
  const { parameters } = pipeline;
  const [draft, setDraft] = useState(() => draftOf(parameters));
  const [errors, setErrors] = useState<Record<string, string>>({});
  const [trouble, setTrouble] = useState<string | null>(null);
  // One key per form content: a second press, or a press after a lost answer, gives the same run.
  const key = useRef<string | null>(null);
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  const start = useMutation({
    mutationFn: (values: Record<string, Json>) => startRun(pipeline, values, (key.current ??= newKey()), pipeline.active_version?.number),
    onSuccess: async (run) => {
      void queryClient.invalidateQueries({ queryKey: ['pipelines'] });
      void queryClient.invalidateQueries({ queryKey: ['runs', 'list'] });
      await navigate({ to: '/runs/$runId', params: { runId: run.id } });
      onClose();
    },
    onError: (error) => {
      const { errors: refused, others } = serverErrors(parameters, error instanceof Problem ? error.fields : []);
      setErrors(refused);
      if (Object.keys(refused).length === 0) setTrouble([sentenceOf(error), ...others].join(' '));
      else setTrouble(others.length > 0 ? others.join(' ') : null);
    },
  });
  const change = (name: string, text: string) => {
    key.current = null;
    setDraft((old) => ({ ...old, [name]: text }));
    setErrors((old) => without(old, name));
  };
  const leave = (name: string) => {
    const spec = parameters[name];
    const parsed = spec ? parse(spec, draft[name] ?? '') : 'absent';
    if (parsed !== 'absent' && 'error' in parsed) setErrors((old) => ({ ...old, [name]: parsed.error }));
  };
  const submit = () => {
    const collected = collect(parameters, draft);
    setErrors(collected.errors);
    setTrouble(null);
    const [wrong] = Object.keys(collected.errors);
    if (wrong === undefined) start.mutate(collected.values);
    else document.getElementsByName(wrong)[0]?.focus();
  };
  return { draft, errors, trouble, change, leave, submit, busy: start.isPending };
}

export function RunDialog({ pipeline, onClose }: { pipeline: Pipeline; onClose: () => void }) {
  const form = useRunForm(pipeline, onClose);
  const none = Object.keys(pipeline.parameters).length === 0;
  const { data: code } = useQuery(pipelineCodeQuery(addressOf(pipeline), pipeline.active_version?.number ?? 0));
  return (
    <Dialog
      open
      onClose={onClose}
      onSubmit={form.submit}
      title={`Run ${pipeline.title || pipeline.name}`}
      description={`Version ${pipeline.active_version?.number ?? '–'} of ${pipeline.name}`}
      footer={
        <>
          <Button onClick={onClose}>Close</Button>
          <Button type="submit" look="primary" icon={<Play />} busy={form.busy}>
            Run
          </Button>
        </>
      }
    >
      <div className={css.stack}>
        {form.trouble !== null && <Notice>{form.trouble}</Notice>}
        {code && <EnvironmentTrouble environment={code.used_environment} />}
        {none ? (
          <p className={css.none}>This pipeline takes no parameters.</p>
        ) : (
          <ParameterForm
            parameters={pipeline.parameters}
            draft={form.draft}
            errors={form.errors}
            onChange={form.change}
            onLeave={form.leave}
          />
        )}
      </div>
    </Dialog>
  );
}

function without(errors: Record<string, string>, name: string): Record<string, string> {
  return Object.fromEntries(Object.entries(errors).filter(([key]) => key !== name));
}
