import { useMutation, useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { addressAt, confirmByCode, confirmByPassword, waysQuery, type Ways } from '../api/account';
import { sentenceOf } from '../api/problem';
import { Button } from '../ui/Button';
import { ErrorState, Notice, SkeletonRows } from '../ui/Feedback';
import css from './Card.module.css';
import { CodeField } from './CodeField';
import { PasswordField } from './PasswordField';

/** On which the tab that comes back from a provider tells the one that waits. */
export const CONFIRMED = 'confirmed';

/** Password, code or provider: whatever the account has. Calls `onDone` once one of them was accepted. */
export function AgainForm({ onDone }: { onDone: () => void }) {
  const { data: ways, error, isError, refetch } = useQuery({ ...waysQuery, staleTime: 0 });
  useEffect(() => {
    const channel = new BroadcastChannel(CONFIRMED);
    channel.onmessage = onDone;
    return () => channel.close();
  }, [onDone]);
  if (isError) return <ErrorState title="How you can confirm could not be loaded." detail={sentenceOf(error)} onRetry={() => void refetch()} />;
  if (!ways) return <SkeletonRows rows={2} label="Loading how you can confirm" />;
  return <Choices ways={ways} onDone={onDone} />;
}

function Choices({ ways, onDone }: { ways: Ways; onDone: () => void }) {
  const [by, setBy] = useState<'password' | 'code'>(ways.password ? 'password' : 'code');
  const known = ways.identities.filter((each) => each.known);
  const typed = ways.password || ways.code;
  return (
    <div className={css.form}>
      {typed && <TypedForm key={by} by={by} onDone={onDone} />}
      {ways.password && ways.code && (
        <Button look="quiet" onClick={() => setBy(by === 'password' ? 'code' : 'password')}>
          {by === 'password' ? 'Use a code instead' : 'Use the password instead'}
        </Button>
      )}
      {typed && known.length > 0 && <div className={css.or}>or</div>}
      {known.map((each) => (
        <ProviderButton key={each.id} provider={each.provider} name={each.name} />
      ))}
    </div>
  );
}

function TypedForm({ by, onDone }: { by: 'password' | 'code'; onDone: () => void }) {
  const [value, setValue] = useState('');
  const confirm = useMutation({
    mutationFn: () => (by === 'password' ? confirmByPassword(value) : confirmByCode(value.trim())),
    gcTime: 0,
    onSuccess: onDone,
    onError: () => setValue(''),
  });
  const error = confirm.isError ? sentenceOf(confirm.error) : null;
  return (
    <form
      className={css.form}
      onSubmit={(event) => {
        event.preventDefault();
        // A form around this one is not meant: portals let events through.
        event.stopPropagation();
        if (value !== '' && !confirm.isPending) confirm.mutate();
      }}
    >
      {by === 'password' ? (
        <PasswordField autoFocus label="Your password" value={value} error={error} onChange={setValue} />
      ) : (
        <CodeField value={value} error={error} onChange={setValue} />
      )}
      <Button type="submit" look="primary" busy={confirm.isPending} disabled={value === ''}>
        Confirm
      </Button>
    </form>
  );
}

/** Goes to the provider in another tab, so that nothing on this page is lost. */
function ProviderButton({ provider, name }: { provider: string; name: string }) {
  const leave = useMutation({
    mutationFn: async () => {
      // Opened at once: after waiting, the browser would take it for an advertisement.
      const tab = window.open('about:blank', '_blank');
      if (!tab) throw new Error('The browser did not open another tab: allow it for this page, then try again.');
      try {
        tab.location.href = await addressAt(provider, 'again', '/sign-in/confirmed');
      } catch (error) {
        tab.close();
        throw error;
      }
    },
  });
  return (
    <>
      {leave.isError && <Notice>{sentenceOf(leave.error)}</Notice>}
      <Button busy={leave.isPending} onClick={() => leave.mutate()}>
        Confirm with {name}
      </Button>
      {leave.isSuccess && (
        <p className={css.soft} role="status">
          Confirm in the tab of {name}; this page goes on by itself.
        </p>
      )}
    </>
  );
}
