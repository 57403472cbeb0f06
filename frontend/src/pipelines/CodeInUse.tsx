import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { pipelineCodeQuery, publishNewCode, type PipelineCode, type Snapshot } from '../api/code';
import { addressOf } from '../api/pipelines';
import { Problem, sentenceOf } from '../api/problem';
import type { Pipeline } from '../api/types';
import { EnvironmentTrouble } from '../environments/EnvironmentTrouble';
import { Button } from '../ui/Button';
import { Dialog } from '../ui/Dialog';
import { Fact, Facts } from '../ui/Facts';
import { Notice } from '../ui/Feedback';
import { Field, Textarea } from '../ui/Fields';
import { shortDigest } from '../ui/format';
import { Section } from '../ui/Page';
import css from './CodeInUse.module.css';

/** Which code the runs of a pipeline use, and the way to newer code when there is some. */
export function CodeInUse({ pipeline }: { pipeline: Pipeline }) {
  const version = pipeline.active_version?.number;
  const { data: code } = useQuery({ ...pipelineCodeQuery(addressOf(pipeline), version ?? 0), enabled: version !== undefined });
  const [publishing, setPublishing] = useState(false);
  if (!code) return null;
  return (
    <Section title="Code">
      <Facts>
        <Fact name="Location">
          {code.location_id === null ? (
            code.location
          ) : (
            <Link to="/code/$locationId" params={{ locationId: code.location_id }}>
              {code.location}
            </Link>
          )}
        </Fact>
        <Fact name="Runs use">{code.follow === 'latest' ? 'the last synced code' : `the code of version ${code.version}`}</Fact>
        {code.used && (
          <Fact name="Snapshot">
            <SnapshotWords snapshot={code.used} />
          </Fact>
        )}
      </Facts>
      <EnvironmentTrouble environment={code.used_environment} />
      {code.new_code && code.latest && (
        <div className={css.fresh}>
          <Notice look="retrying">
            New code available: <SnapshotWords snapshot={code.latest} />
          </Notice>
          {pipeline.can.edit && <Button onClick={() => setPublishing(true)}>Publish with new snapshot</Button>}
        </div>
      )}
      {publishing && <PublishDialog pipeline={pipeline} code={code} onClose={() => setPublishing(false)} />}
    </Section>
  );
}

function SnapshotWords({ snapshot: { commit, tree_sha256: tree } }: { snapshot: Snapshot }) {
  if (!commit) return <code title={tree}>{shortDigest(tree)}</code>;
  return (
    <span>
      <code title={commit.sha}>{commit.sha.slice(0, 10)}</code> {commit.subject}
      {commit.dirty && ', with uncommitted changes'}
    </span>
  );
}

interface PublishProps {
  pipeline: Pipeline;
  code: PipelineCode;
  onClose: () => void;
}

function PublishDialog({ pipeline, code, onClose }: PublishProps) {
  const subject = code.latest?.commit?.subject;
  const [message, setMessage] = useState(subject ? `New code: ${subject}` : 'New code');
  const queryClient = useQueryClient();
  const publish = useMutation({
    mutationFn: () => publishNewCode(addressOf(pipeline), message),
    onSuccess: async () => {
      await Promise.all([queryClient.invalidateQueries({ queryKey: ['pipelines'] }), queryClient.invalidateQueries({ queryKey: ['code'] })]);
      onClose();
    },
  });
  const refused = publish.error instanceof Problem ? publish.error.fields : [];
  return (
    <Dialog
      open
      onClose={onClose}
      onSubmit={() => publish.mutate()}
      title="Publish with new snapshot"
      description={`Version ${code.version} is published again as it stands, with the code that was synced last. The draft is not touched.`}
      footer={
        <>
          <Button onClick={onClose}>Close</Button>
          <Button type="submit" look="primary" busy={publish.isPending}>
            Publish
          </Button>
        </>
      }
    >
      <div className={css.fresh}>
        {publish.isError && (
          <Notice>
            {refused.length === 0 ? (
              sentenceOf(publish.error)
            ) : (
              <>
                The text does not fit the new code. Edit the draft and publish that:
                <ul className={css.list}>
                  {refused.map((each) => (
                    <li key={`${each.field} ${each.message}`}>{each.message}</li>
                  ))}
                </ul>
              </>
            )}
          </Notice>
        )}
        <EnvironmentTrouble environment={code.latest_environment} />
        <Field label="Message" hint="What is new, for the history of versions.">
          {(control) => <Textarea {...control} rows={2} value={message} onChange={(event) => setMessage(event.target.value)} />}
        </Field>
      </div>
    </Dialog>
  );
}
