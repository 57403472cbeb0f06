import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Play, Send } from 'lucide-react';
import { useMemo, useState } from 'react';
import { addressOf, versionQuery } from '../../api/pipelines';
import { Problem as ApiProblem, sentenceOf } from '../../api/problem';
import type { Pipeline, PublishedVersion } from '../../api/types';
import { Button } from '../../ui/Button';
import { Dialog } from '../../ui/Dialog';
import { Notice, SkeletonRows } from '../../ui/Feedback';
import { Checkbox, Field, Textarea } from '../../ui/Fields';
import { plural } from '../../ui/format';
import { useProblemCounts } from '../problems';
import { useSaver } from '../saving';
import { useEditor } from '../store';
import { countOf, diffOf, isEmpty } from '../versions/diff';
import { DiffList } from '../versions/DiffList';
import { ProblemList } from './ProblemList';
import css from './PublishDialog.module.css';

interface Props {
  pipeline: Pipeline;
  message?: string;
  onClose: () => void;
  /** Goes on to run what was published. */
  onRun: (version: PublishedVersion) => void;
}

/** What keeps it from publishing, what will change, why; and afterwards which version it became. */
export function PublishDialog({ pipeline, message: usual = '', onClose, onRun }: Props) {
  const saver = useSaver();
  const queryClient = useQueryClient();
  const { errors } = useProblemCounts();
  const [message, setMessage] = useState(usual);
  const [activate, setActivate] = useState(true);
  const act = useMutation({
    mutationFn: () => saver.publish(message, activate),
    onSuccess: () => void queryClient.invalidateQueries({ queryKey: ['pipelines'] }),
  });
  if (act.data) {
    return <Published pipeline={pipeline} version={act.data} onClose={onClose} onRun={onRun} />;
  }
  return (
    <Dialog
      open
      wide
      onClose={onClose}
      onSubmit={() => {
        if (errors === 0) act.mutate();
      }}
      title={`Publish ${pipeline.title || pipeline.name}`}
      description="Freezes the draft as a version that never changes again."
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="primary" icon={<Send />} busy={act.isPending} disabled={errors > 0}>
            Publish
          </Button>
        </>
      }
    >
      <div className={css.stack}>
        {act.isError && <Refused problem={act.error} />}
        <ProblemList onLeave={onClose} />
        <Summary pipeline={pipeline} />
        <Field label="Message" hint="Why this version: what you would tell a colleague in one line.">
          {(control) => <Textarea {...control} autoFocus rows={2} maxLength={10_000} value={message} onChange={(event) => setMessage(event.target.value)} />}
        </Field>
        <Checkbox
          label="Activate: schedules and plain runs use it from now on"
          checked={activate}
          onChange={(event) => setActivate(event.target.checked)}
        />
      </div>
    </Dialog>
  );
}

function Refused({ problem }: { problem: Error }) {
  const fields = problem instanceof ApiProblem ? problem.fields : [];
  return (
    <Notice>
      {sentenceOf(problem)}
      {fields.length > 1 && (
        <ul>
          {fields.map(({ field, message }) => (
            <li key={`${field}${message}`}>
              {field}: {message}
            </li>
          ))}
        </ul>
      )}
    </Notice>
  );
}

/** What this version changes since the active one. */
function Summary({ pipeline }: { pipeline: Pipeline }) {
  const text = useEditor(({ doc }) => doc.text);
  const tasks = useEditor(({ doc }) => doc.model.tasks.size);
  const active = pipeline.active_version?.number ?? null;
  const { data, error } = useQuery({ ...versionQuery(addressOf(pipeline), active ?? 0), enabled: active !== null });
  const diff = useMemo(() => (data ? diffOf(data.text, text) : null), [data, text]);
  if (active === null) return <p>This is the first version, with {plural(tasks, 'task')}.</p>;
  if (error) return <Notice>What changes could not be found out: {sentenceOf(error)}</Notice>;
  if (!data) return <SkeletonRows rows={2} label="Comparing with the active version" />;
  if (!diff) return null;
  if (isEmpty(diff)) return <p>Nothing that runs differs from version {active}, the active one.</p>;
  return (
    <section aria-label={`Changes since version ${active}`}>
      <h3 className={css.title}>
        {plural(countOf(diff), 'change')} since version {active}
      </h3>
      <div className={css.changes} tabIndex={0} role="group" aria-label="List of changes">
        <DiffList diff={diff} />
      </div>
    </section>
  );
}

function Published({ pipeline, version, onClose, onRun }: Omit<Props, 'message'> & { version: PublishedVersion }) {
  const { number, created, active } = version;
  return (
    <Dialog
      open
      onClose={onClose}
      title={created ? `Version ${number} published` : 'Nothing to publish'}
      footer={
        <>
          <Button onClick={onClose}>Close</Button>
          {pipeline.can.run && pipeline.paused_at === null && (
            <Button look="primary" icon={<Play />} onClick={() => onRun(version)}>
              Run
            </Button>
          )}
        </>
      }
    >
      <p role="status">
        {created ? 'It is stored as ' : 'Nothing has changed since the newest version, so no new one was made: '}
        <Link to="/pipelines/$name" params={{ name: addressOf(pipeline) }} search={{ version: number }}>
          version {number}
        </Link>
        {active ? ', and it is the active one.' : '. Another version is active.'}
      </p>
    </Dialog>
  );
}
