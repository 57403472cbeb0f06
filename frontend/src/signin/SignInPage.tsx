import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link, useRouter } from '@tanstack/react-router';
import { useState } from 'react';
import { addressAt, giveCode, signIn, standing, waysInQuery, type Standing } from '../api/account';
import { Problem, sentenceOf } from '../api/problem';
import { isConsole, placeOf } from '../router/place';
import { Button } from '../ui/Button';
import { Notice } from '../ui/Feedback';
import { Field, Input } from '../ui/Fields';
import { useTitle } from '../ui/Page';
import { SignInCard } from './Card';
import css from './Card.module.css';
import { CodeField } from './CodeField';
import { PasswordField } from './PasswordField';
import { refusalWords } from './words';

const route = getRouteApi('/sign-in');

/** Password or provider, then a code where the account asks for one. */
export function SignInPage() {
  useTitle('Sign in');
  const { next, error } = route.useSearch();
  const router = useRouter();
  const queryClient = useQueryClient();
  // Whoever comes back from a provider may still owe a code.
  const begun = useQuery({ queryKey: ['standing'], queryFn: standing, gcTime: 0, staleTime: 0, retry: false });
  const [reached, setReached] = useState<Standing | null>(null);
  const arrive = (at: Standing) => {
    setReached(at);
    if (at !== 'signed-in') return;
    // Nothing that was asked as somebody else, or as nobody, may be shown.
    queryClient.clear();
    const place = placeOf(next);
    if (isConsole(place)) window.location.replace(place);
    else router.history.replace(place);
  };
  if ((reached ?? begun.data) === 'code') {
    return (
      <SignInCard title="One more step">
        <CodeForm onStep={arrive} />
      </SignInCard>
    );
  }
  return (
    <SignInCard title="Sign in">
      <Ways next={next} refusal={refusalWords(error)} onStep={arrive} />
    </SignInCard>
  );
}

function Ways({ next, refusal, onStep }: { next: string | undefined; refusal: string | null; onStep: (at: Standing) => void }) {
  const { data: ways, isError } = useQuery(waysInQuery);
  const providers = ways?.providers ?? [];
  // Passwords are usual: nobody waits for the answer that says so.
  const password = ways?.password ?? true;
  return (
    <>
      {refusal !== null && <Notice>{refusal}</Notice>}
      {password && <PasswordForm onStep={onStep} />}
      {password && providers.length > 0 && <div className={css.or}>or</div>}
      {providers.length > 0 && <Providers providers={providers} next={next} />}
      {isError && <Notice look="retrying">Whether there are other ways to sign in could not be loaded.</Notice>}
      {password && (
        <Link to="/sign-in/reset" className={css.link}>
          Forgotten your password?
        </Link>
      )}
    </>
  );
}

function PasswordForm({ onStep }: { onStep: (at: Standing) => void }) {
  const [username, setUsername] = useState('');
  const [password, setPassword] = useState('');
  const enter = useMutation({
    mutationFn: () => signIn(username.trim(), password),
    gcTime: 0,
    onSuccess: onStep,
    onError: () => {
      setPassword('');
      document.getElementsByName('password')[0]?.focus();
    },
  });
  const fields = enter.error instanceof Problem ? enter.error.fields : [];
  const fieldError = (name: string) => fields.find((each) => each.field === name)?.message ?? null;
  const general = enter.isError && !fieldError('username') && !fieldError('password');
  const ready = username.trim() !== '' && password !== '';
  return (
    <form
      className={css.form}
      onSubmit={(event) => {
        event.preventDefault();
        if (ready && !enter.isPending) enter.mutate();
      }}
    >
      {general && <Notice>{sentenceOf(enter.error)}</Notice>}
      <Field label="User name" error={fieldError('username')}>
        {(control) => (
          <Input
            {...control}
            name="username"
            autoComplete="username"
            autoCapitalize="none"
            spellCheck={false}
            autoFocus
            value={username}
            onChange={(event) => setUsername(event.target.value)}
          />
        )}
      </Field>
      <PasswordField label="Password" value={password} error={fieldError('password')} onChange={setPassword} />
      <Button type="submit" look="primary" busy={enter.isPending} disabled={!ready}>
        Sign in
      </Button>
    </form>
  );
}

function Providers({ providers, next }: { providers: { id: string; name: string }[]; next: string | undefined }) {
  const leave = useMutation({
    mutationFn: (provider: string) => addressAt(provider, 'sign-in', `/sign-in?next=${encodeURIComponent(placeOf(next))}`),
    onSuccess: (address) => window.location.assign(address),
  });
  return (
    <div className={css.providers}>
      {leave.isError && <Notice>{sentenceOf(leave.error)}</Notice>}
      {providers.map(({ id, name }) => (
        <Button key={id} busy={leave.isPending && leave.variables === id} disabled={leave.isPending} onClick={() => leave.mutate(id)}>
          Sign in with {name}
        </Button>
      ))}
    </div>
  );
}

function CodeForm({ onStep }: { onStep: (at: Standing) => void }) {
  const [code, setCode] = useState('');
  const give = useMutation({ mutationFn: () => giveCode(code.trim()), gcTime: 0, onSuccess: onStep });
  return (
    <form
      className={css.form}
      onSubmit={(event) => {
        event.preventDefault();
        if (code.trim() !== '' && !give.isPending) give.mutate();
      }}
    >
      <CodeField
        value={code}
        error={give.isError ? sentenceOf(give.error) : null}
        onChange={(value) => {
          give.reset();
          setCode(value);
        }}
      />
      <Button type="submit" look="primary" busy={give.isPending} disabled={code.trim() === ''}>
        Sign in
      </Button>
      <Button look="quiet" onClick={() => onStep('signed-out')}>
        Sign in as somebody else
      </Button>
    </form>
  );
}
