import { useMutation, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, useRouter } from '@tanstack/react-router';
import { useState } from 'react';
import { Problem, sentenceOf } from '../api/problem';
import { signIn } from '../api/session';
import icon from '../ui/icon.svg';
import { Button } from '../ui/Button';
import { Notice } from '../ui/Feedback';
import { Field, Input } from '../ui/Fields';
import { useTitle } from '../ui/Page';
import { isConsole, placeOf } from './place';
import css from './SignInPage.module.css';

const route = getRouteApi('/sign-in');

export function SignInPage() {
  useTitle('Sign in');
  const { next } = route.useSearch();
  const router = useRouter();
  const queryClient = useQueryClient();
  const [username, setUsername] = useState('');
  const [password, setPassword] = useState('');
  const enter = useMutation({
    mutationFn: () => signIn(username.trim(), password),
    onSuccess: () => {
      // Nothing that was asked as somebody else, or as nobody, may be shown.
      queryClient.clear();
      const place = placeOf(next);
      if (isConsole(place)) window.location.replace(place);
      else router.history.replace(place);
    },
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
    <main className={css.page}>
      <form
        className={css.card}
        onSubmit={(event) => {
          event.preventDefault();
          if (ready && !enter.isPending) enter.mutate();
        }}
      >
        <img src={icon} alt="" width={36} height={36} />
        <h1>Sign in</h1>
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
        <Field label="Password" error={fieldError('password')}>
          {(control) => (
            <Input
              {...control}
              name="password"
              type="password"
              autoComplete="current-password"
              value={password}
              onChange={(event) => setPassword(event.target.value)}
            />
          )}
        </Field>
        <Button type="submit" look="primary" busy={enter.isPending} disabled={!ready}>
          Sign in
        </Button>
      </form>
    </main>
  );
}
