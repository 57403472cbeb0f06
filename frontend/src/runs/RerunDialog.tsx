import { Play } from 'lucide-react';
import { useMemo, useState } from 'react';
import { Problem, sentenceOf } from '../api/problem';
import type { Run, VersionItem } from '../api/types';
import { ParameterForm } from '../forms/ParameterForm';
import { Button } from '../ui/Button';
import { Dialog } from '../ui/Dialog';
import { ErrorState, Notice, SkeletonRows } from '../ui/Feedback';
import { Checkbox, Field, SearchBox, Select } from '../ui/Fields';
import { plural } from '../ui/format';
import css from './RerunDialog.module.css';
import { RerunPlanLists } from './RerunPlan';
import { useRerun, type RerunForm } from './useRerun';
import type { Scope } from './wish';

interface Props {
  run: Run;
  scope: Scope;
  /** The task from which all runs, if it is known already. */
  from?: string;
  onClose: () => void;
}

/** A new run made from an old one: what is chosen, and what follows from it, before anything is done. */
export function RerunDialog({ run, scope, from, onClose }: Props) {
  const form = useRerun(run, { scope, from }, onClose);
  const submit = () => form.wish && form.start.mutate(form.wish);
  return (
    <Dialog
      open
      wide
      onClose={onClose}
      onSubmit={submit}
      title={`Rerun run ${run.number}`}
      description={`A new run of ${run.pipeline.name}. Run ${run.number} stays as it is.`}
      footer={
        <>
          <Button onClick={onClose}>Close</Button>
          <Button type="submit" look="primary" icon={<Play />} busy={form.start.isPending} disabled={form.wish === null || form.plan.isError}>
            Start run
          </Button>
        </>
      }
    >
      <div className={css.stack}>
        {form.start.isError && <Notice>{sentenceOf(form.start.error)}</Notice>}
        {form.others.length > 0 && <Notice>{form.others.join(' ')}</Notice>}
        <div className={css.choices}>
          <ScopeField form={form} />
          <VersionField run={run} form={form} />
        </div>
        {form.choice.scope === 'only' && <Selection form={form} />}
        <Checkbox
          label="Reuse results that are equal"
          checked={form.choice.reuse}
          onChange={(event) => form.change({ reuse: event.target.checked })}
        />
        {form.parameters && Object.keys(form.parameters).length > 0 && (
          <section className={css.part} aria-label="Parameters">
            <h3>Parameters</h3>
            <ParameterForm parameters={form.parameters} draft={form.draft} errors={form.errors} onChange={form.type} onLeave={() => undefined} />
          </section>
        )}
        <section className={css.part} aria-label="Plan">
          <h3>What will happen</h3>
          <Plan form={form} />
        </section>
      </div>
    </Dialog>
  );
}

function tasksOf(form: RerunForm): string[] {
  return form.version.data?.graph.tasks.map((task) => task.key) ?? [];
}

function ScopeField({ form }: { form: RerunForm }) {
  const { scope, from } = form.choice;
  return (
    <>
      <Field label="What runs">
        {(control) => (
          <Select {...control} value={scope} onChange={(event) => form.change({ scope: event.target.value as Scope })}>
            <option value="all">All tasks</option>
            <option value="from">From one task on</option>
            <option value="only">Only some tasks</option>
          </Select>
        )}
      </Field>
      {scope === 'from' && (
        <Field label="From task" hint="It and all tasks after it run.">
          {(control) => (
            <Select {...control} value={from} onChange={(event) => form.change({ from: event.target.value })}>
              <option value="">Choose…</option>
              {tasksOf(form).map((key) => (
                <option key={key} value={key}>
                  {key}
                </option>
              ))}
            </Select>
          )}
        </Field>
      )}
    </>
  );
}

function VersionField({ run, form }: { run: Run; form: RerunForm }) {
  const listed = form.versions.data?.pages.flatMap((page) => page.results) ?? [];
  const known = listed.some((version) => version.number === run.version);
  return (
    <Field label="Version" error={form.version.isError ? sentenceOf(form.version.error) : null}>
      {(control) => (
        <Select {...control} value={form.choice.version} onChange={(event) => form.change({ version: Number(event.target.value) })}>
          {listed.map((version, place) => (
            <option key={version.number} value={version.number}>
              {versionWords(version, run, place === 0)}
            </option>
          ))}
          {!known && <option value={run.version}>{run.version}, of this run</option>}
        </Select>
      )}
    </Field>
  );
}

function versionWords(version: VersionItem, run: Run, newest: boolean): string {
  const about = [newest && 'newest', version.number === run.version && 'of this run', version.message].filter(Boolean);
  return [version.number, ...about].join(', ');
}

// More are found by their name.
const SHOWN = 100;

function Selection({ form }: { form: RerunForm }) {
  const [query, setQuery] = useState('');
  const { only } = form.choice;
  const keys = tasksOf(form);
  const found = useMemo(
    () => keys.filter((key) => only.includes(key) || key.includes(query.trim())).slice(0, SHOWN),
    [keys, only, query],
  );
  const toggle = (key: string, on: boolean) => form.change({ only: on ? [...only, key] : only.filter((each) => each !== key) });
  return (
    <fieldset className={css.fieldset}>
      <legend>Tasks to run; what they need is reused where it is equal</legend>
      <SearchBox label="Find a task" value={query} onChange={setQuery} />
      <div className={css.tasks}>
        {found.map((key) => (
          <Checkbox key={key} label={key} checked={only.includes(key)} onChange={(event) => toggle(key, event.target.checked)} />
        ))}
        {found.length === 0 && <p className={css.quiet}>No task has this name.</p>}
      </div>
    </fieldset>
  );
}

function Plan({ form }: { form: RerunForm }) {
  const { plan, choice, waiting } = form;
  if (choice.scope === 'from' && choice.from === '') return <p className={css.quiet}>Choose the task to run from.</p>;
  if (choice.scope === 'only' && choice.only.length === 0) return <p className={css.quiet}>Choose the tasks to run.</p>;
  if (!waiting && form.parameters) return <p className={css.quiet}>Correct the parameters first.</p>;
  if (plan.isError) {
    return (
      <ErrorState
        title="The plan could not be made."
        detail={sentenceOf(plan.error)}
        offline={plan.error instanceof Problem && plan.error.unreachable}
        onRetry={() => void plan.refetch()}
      />
    );
  }
  if (!plan.data) return <SkeletonRows rows={4} label="Making the plan" />;
  const { run = 0, reuse = 0, decide = 0 } = plan.data.counts;
  return (
    <div className={css.plan} aria-busy={plan.isFetching || form.wish === null}>
      <p role="status">
        {plural(run, 'task')} will run, {reuse} {reuse === 1 ? 'is' : 'are'} reused
        {decide > 0 && `, ${decide} ${decide === 1 ? 'is' : 'are'} decided during the run`}.
      </p>
      <RerunPlanLists plan={plan.data} />
    </div>
  );
}
