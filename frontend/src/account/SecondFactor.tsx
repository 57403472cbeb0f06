import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { authenticatorsQuery, beginSetUp, finishSetUp, newCodes, removeApp, unseenCodes, type Authenticator, type SetUp } from '../api/account';
import { sentenceOf } from '../api/problem';
import { CodeField } from '../signin/CodeField';
import { Button } from '../ui/Button';
import { Ago, CopyButton } from '../ui/Facts';
import { ErrorState, Notice, SkeletonRows } from '../ui/Feedback';
import { Section } from '../ui/Page';
import css from './Account.module.css';
import { isoOf } from './words';

/** An authenticator app with its recovery codes: set up, renewed, taken away. */
export function SecondFactor() {
  const { data, error, isError, refetch } = useQuery(authenticatorsQuery);
  const queryClient = useQueryClient();
  const [codes, setCodes] = useState<string[]>([]);
  const changed = async (fresh: string[]) => {
    setCodes(fresh);
    await queryClient.invalidateQueries({ queryKey: ['account'] });
  };
  const app = data?.find((each) => each.type === 'totp');
  const spare = data?.find((each) => each.type === 'recovery_codes');
  return (
    <Section title="Second factor">
      {isError && <ErrorState title="Your second factor could not be loaded." detail={sentenceOf(error)} onRetry={() => void refetch()} />}
      {!data && !isError && <SkeletonRows rows={2} label="Loading your second factor" />}
      {data && (
        <div className={css.stack}>
          {codes.length > 0 && <FreshCodes codes={codes} onKept={() => setCodes([])} />}
          {app ? <HasApp app={app} spare={spare} onChange={changed} /> : <NoApp onChange={changed} />}
        </div>
      )}
    </Section>
  );
}

type Changed = (fresh: string[]) => Promise<void>;

function NoApp({ onChange }: { onChange: Changed }) {
  const begin = useMutation({ mutationFn: beginSetUp, gcTime: 0 });
  if (begin.isSuccess) return <SettingUp setUp={begin.data} onChange={onChange} onCancel={begin.reset} />;
  return (
    <>
      <p className={css.soft}>
        With an authenticator app on your phone, signing in takes your password and a code that the app shows: whoever learns the password alone stays outside.
      </p>
      {begin.isError && <Notice>{sentenceOf(begin.error)}</Notice>}
      <Button busy={begin.isPending} onClick={() => begin.mutate()}>
        Set up an authenticator app
      </Button>
    </>
  );
}

function SettingUp({ setUp, onChange, onCancel }: { setUp: SetUp; onChange: Changed; onCancel: () => void }) {
  const [code, setCode] = useState('');
  const finish = useMutation({
    mutationFn: async () => {
      await finishSetUp(code.trim());
      return unseenCodes();
    },
    gcTime: 0,
    onSuccess: onChange,
  });
  return (
    <>
      <p className={css.soft}>Scan this with the app, or type the key into it. Then enter the code that it shows.</p>
      <svg className={css.picture} viewBox={`0 0 ${setUp.size} ${setUp.size}`} shapeRendering="crispEdges" role="img" aria-label="QR code of the key">
        <path d={setUp.path} fill="currentColor" />
      </svg>
      <span className={css.row}>
        <code className={css.secret}>{setUp.secret}</code>
        <CopyButton text={setUp.secret} label="Copy the key" />
      </span>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (code.trim() !== '' && !finish.isPending) finish.mutate();
        }}
      >
        <CodeField
          label="Code of the app"
          hint="Six digits."
          value={code}
          error={finish.isError ? sentenceOf(finish.error) : null}
          onChange={(value) => {
            finish.reset();
            setCode(value);
          }}
        />
        <div className={css.row}>
          <Button type="submit" look="primary" busy={finish.isPending} disabled={code.trim() === ''}>
            Turn it on
          </Button>
          <Button onClick={onCancel}>Cancel</Button>
        </div>
      </form>
    </>
  );
}

function HasApp({ app, spare, onChange }: { app: Authenticator; spare: Authenticator | undefined; onChange: Changed }) {
  const renew = useMutation({ mutationFn: newCodes, gcTime: 0, onSuccess: onChange });
  const remove = useMutation({ mutationFn: removeApp, onSuccess: () => onChange([]) });
  const failed = renew.error ?? remove.error;
  return (
    <>
      <p className={css.soft}>
        Signing in asks for a code of your authenticator app, set up <Ago at={isoOf(app.created_at)} />
        {spare && ` or for one of your recovery codes, of which ${spare.unused_code_count ?? 0} of ${spare.total_code_count ?? 0} are left`}.
      </p>
      {failed !== null && <Notice>{sentenceOf(failed)}</Notice>}
      <div className={css.row}>
        <Button busy={renew.isPending} onClick={() => renew.mutate()}>
          New recovery codes
        </Button>
        <Button look="danger" busy={remove.isPending} onClick={() => remove.mutate()}>
          Turn off the second factor
        </Button>
      </div>
    </>
  );
}

function FreshCodes({ codes, onKept }: { codes: string[]; onKept: () => void }) {
  return (
    <>
      <Notice look="approval">
        Your recovery codes. Each one signs you in once when the app is not at hand. They are shown this one time: keep them where you keep your passwords.
      </Notice>
      <ul className={css.codes} aria-label="Recovery codes">
        {codes.map((code) => (
          <li key={code}>{code}</li>
        ))}
      </ul>
      <div className={css.row}>
        <CopyButton text={codes.join('\n')} label="Copy the codes" />
        <Button onClick={onKept}>I have kept them</Button>
      </div>
    </>
  );
}
