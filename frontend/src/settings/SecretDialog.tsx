import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { LendDialog } from '../access/LendDialog';
import { SharedWith } from '../access/Sharing';
import { belongsTo } from '../access/words';
import { meQuery } from '../api/me';
import { sentenceOf } from '../api/problem';
import { archiveSecret, changeSecret, secretQuery } from '../api/secrets';
import type { Secret, SecretDetail } from '../api/types';
import { refusalOf } from '../forms/refusal';
import { Button } from '../ui/Button';
import { Dialog } from '../ui/Dialog';
import { Ago, CopyButton, Fact, Facts, PersonName } from '../ui/Facts';
import { Notice } from '../ui/Feedback';
import { Field, Textarea } from '../ui/Fields';
import { plural } from '../ui/format';
import { Question } from '../forms/Question';
import css from './Secrets.module.css';
import { SecretValue } from './SecretValue';
import { referenceTo, SOURCE_WORDS } from './words';

interface Props {
  secret: Secret;
  /** Whether this person may change and archive it. */
  manage: boolean;
  onClose: () => void;
}

/** What is known of a secret and who uses it; for admins a new value, a new description, and its end. */
export function SecretDialog({ secret, manage, onClose }: Props) {
  const [description, setDescription] = useState(secret.description);
  const [value, setValue] = useState('');
  const [archiving, setArchiving] = useState(false);
  const [sharing, setSharing] = useState(false);
  const queryClient = useQueryClient();
  const detail = useQuery(secretQuery(secret.id));
  const save = useMutation({
    mutationFn: () =>
      changeSecret(secret.id, {
        ...(description === secret.description ? {} : { description }),
        ...(value === '' ? {} : { value }),
      }),
    gcTime: 0,
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: ['secrets'] });
      onClose();
    },
  });
  const refusal = refusalOf(save.error, ['description', 'value']);
  const changed = value !== '' || description !== secret.description;
  if (sharing) return <LendDialog thing={{ kind: 'secret', ...secret }} onClose={() => setSharing(false)} />;
  if (archiving) return <ArchiveDialog secret={secret} detail={detail.data} onBack={() => setArchiving(false)} onClose={onClose} />;
  return (
    <Dialog
      open
      onClose={onClose}
      onSubmit={() => (changed ? save.mutate() : onClose())}
      title={secret.name}
      description={`A secret of the team ${secret.team}`}
      footer={
        <>
          {manage && (
            <Button look="danger" onClick={() => setArchiving(true)}>
              Archive
            </Button>
          )}
          <span className={css.grow} />
          <Button onClick={onClose}>Close</Button>
          {manage && (
            <Button type="submit" look="primary" busy={save.isPending} disabled={!changed}>
              Save
            </Button>
          )}
        </>
      }
    >
      <div className={css.stack}>
        {refusal.sentence && <Notice>{refusal.sentence}</Notice>}
        <About secret={secret} />
        {manage && <SharedSecret secret={secret} onShare={() => setSharing(true)} />}
        <UsedBy team={secret.team} detail={detail.data} problem={detail.isError ? sentenceOf(detail.error) : null} />
        {manage && (
          <>
            <Field label="Description" error={refusal.of('description')}>
              {(control) => <Textarea {...control} rows={2} value={description} onChange={(event) => setDescription(event.target.value)} />}
            </Field>
            {secret.source === 'value' && (
              <SecretValue
                label="New value"
                hint={`It becomes version ${secret.version + 1}; left empty, the value stays as it is.`}
                value={value}
                error={refusal.of('value')}
                onChange={setValue}
              />
            )}
          </>
        )}
        {!manage && secret.description && <p>{secret.description}</p>}
      </div>
    </Dialog>
  );
}

function SharedSecret({ secret, onShare }: { secret: Secret; onShare: () => void }) {
  return (
    <section aria-label="Sharing">
      <h3>Sharing</h3>
      <SharedWith thing={{ kind: 'secret', ...secret }} />
      <Button small onClick={onShare}>
        Share
      </Button>
    </section>
  );
}

function About({ secret }: { secret: Secret }) {
  const { data: me } = useQuery(meQuery);
  const reference = referenceTo(me && !belongsTo(me, secret.team) ? `${secret.team}:${secret.name}` : secret.name);
  return (
    <Facts>
      <Fact name="In documents">
        <span className={css.reference}>
          <code>{reference}</code>
          <CopyButton text={reference} label="Copy the reference" />
        </span>
      </Fact>
      <Fact name="Value">{secret.source === 'value' ? 'stored encrypted, never shown' : <>{SOURCE_WORDS[secret.source]}: <code>{secret.address}</code></>}</Fact>
      <Fact name="Version">{secret.version}</Fact>
      <Fact name="Changed">
        <Ago at={secret.changed_at} /> by <PersonName person={secret.changed_by} none="the system" />
      </Fact>
      <Fact name="Added">
        <Ago at={secret.created_at} /> by <PersonName person={secret.created_by} none="the system" />
      </Fact>
    </Facts>
  );
}

interface UsedByProps {
  team: string;
  detail: SecretDetail | undefined;
  problem: string | null;
}

function UsedBy({ team, detail, problem }: UsedByProps) {
  return (
    <section aria-label="Used by">
      <h3>Used by</h3>
      {problem !== null && <Notice>{problem}</Notice>}
      {problem === null && detail === undefined && <p className={css.soft}>Looking through the pipelines…</p>}
      {detail?.used_by.length === 0 && <p className={css.soft}>No pipeline of the team names it.</p>}
      <ul>
        {detail?.used_by.map((pipeline) => (
          <li key={pipeline.name} className={css.use}>
            <Link to="/pipelines/$name" params={{ name: `${team}:${pipeline.name}` }}>
              {pipeline.title || pipeline.name}
            </Link>
            <span className={css.soft}>{pipeline.active ? 'active version' : 'draft only'}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

interface ArchiveProps {
  secret: Secret;
  detail: SecretDetail | undefined;
  onBack: () => void;
  onClose: () => void;
}

function ArchiveDialog({ secret, detail, onBack, onClose }: ArchiveProps) {
  const users = detail?.used_by.filter((pipeline) => pipeline.active).length ?? 0;
  return (
    <Question
      title={`Archive ${secret.name}?`}
      act="Archive"
      keep="Keep it"
      run={() => archiveSecret(secret.id)}
      stale={['secrets']}
      onClose={onBack}
      onDone={onClose}
    >
      <p>Its value is forgotten and cannot be brought back. Tasks that name it fail from then on.</p>
      {users > 0 && (
        <Notice look="retrying">
          {plural(users, 'pipeline')} {users === 1 ? 'names' : 'name'} it in the active version.
        </Notice>
      )}
    </Question>
  );
}
