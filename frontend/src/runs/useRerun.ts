import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useMemo, useRef, useState } from 'react';
import { newKey } from '../api/newKey';
import { addressOf, versionQuery, versionsQuery } from '../api/pipelines';
import { Problem } from '../api/problem';
import { rerun, rerunPlanQuery, type RerunWish } from '../api/runs';
import type { Run } from '../api/types';
import { serverErrors } from '../forms/parameters';
import { draftFrom, lastReuse, rememberReuse, wishOf, type Choice, type Scope } from './wish';
import { useSettled } from './useSettled';

const NONE = { wish: null, errors: {} };

/** The choices of a rerun, the plan that follows them, and its start. */
export function useRerun(run: Run, begin: { scope: Scope; from?: string }, onClose: () => void) {
  const name = addressOf(run.pipeline);
  const [choice, setChoice] = useState<Omit<Choice, 'draft'>>({
    scope: begin.scope,
    from: begin.from ?? '',
    only: [],
    version: run.version,
    reuse: lastReuse(),
  });
  // What was typed stays when another version is chosen, as far as that one has such a parameter.
  const [typed, setTyped] = useState<Record<string, string>>({});
  const version = useQuery(versionQuery(name, choice.version));
  const parameters = version.data?.parameters ?? null;
  const draft = useMemo(
    () => (parameters ? { ...draftFrom(parameters, run), ...onlyOf(typed, parameters) } : {}),
    [parameters, run, typed],
  );
  const asked = parameters ? wishOf({ ...choice, draft }, parameters) : NONE;
  const settled = useSettled(asked.wish);
  const plan = useQuery({ ...rerunPlanQuery(run.id, settled ?? { reuse: choice.reuse }), enabled: settled !== null });
  const start = useStart(run, onClose);
  const { errors: refused, others } = serverErrors(parameters ?? {}, plan.error instanceof Problem ? plan.error.fields : []);
  return {
    choice,
    change: (next: Partial<Omit<Choice, 'draft'>>) => setChoice((old) => ({ ...old, ...next })),
    versions: useInfiniteQuery(versionsQuery(name)),
    version,
    parameters,
    draft,
    type: (field: string, text: string) => setTyped((old) => ({ ...old, [field]: text })),
    errors: { ...refused, ...asked.errors },
    others,
    plan,
    // Only what the plan shows is started.
    wish: asked.wish && JSON.stringify(asked.wish) === JSON.stringify(settled) ? asked.wish : null,
    waiting: asked.wish !== null,
    start,
  };
}

export type RerunForm = ReturnType<typeof useRerun>;

function useStart(run: Run, onClose: () => void) {
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  // One key per wish: a second press, or a press after a lost answer, gives the same run.
  const keys = useRef<Record<string, string>>({});
  return useMutation({
    mutationFn: (wish: RerunWish) => rerun(run.id, wish, (keys.current[JSON.stringify(wish)] ??= newKey())),
    onSuccess: async (made, wish) => {
      rememberReuse(wish.reuse);
      void queryClient.invalidateQueries({ queryKey: ['runs', 'list'] });
      await navigate({ to: '/runs/$runId', params: { runId: made.id } });
      onClose();
    },
  });
}


function onlyOf(typed: Record<string, string>, parameters: object): Record<string, string> {
  return Object.fromEntries(Object.entries(typed).filter(([field]) => field in parameters));
}
