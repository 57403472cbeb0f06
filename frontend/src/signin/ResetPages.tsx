import { useMutation } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useState } from 'react';
import { askForPassword, resetPassword } from '../api/account';
import { Problem, sentenceOf } from '../api/problem';
import { Button } from '../ui/Button';
import { Notice } from '../ui/Feedback';
import { Field, Input } from '../ui/Fields';
import { useTitle } from '../ui/Page';
import { SignInCard } from './Card';
import css from './Card.module.css';
import { PasswordField } from './PasswordField';

const route = getRouteApi('/sign-in/reset/$key');

function Back() {
  return (
    <Link to="/sign-in" className={css.link}>
      Back to sign in
    </Link>
  );
}

/** Asks for a link by e-mail. The answer is the same whether there is such an account or not. */
export function ForgottenPage() {
  useTitle('Forgotten password');
  const [email, setEmail] = useState('');
  const ask = useMutation({ mutationFn: () => askForPassword(email.trim()) });
  if (ask.isSuccess) {
    return (
      <SignInCard title="Look into your mail">
        <p className={css.soft} role="status">
          If an account has the address {email.trim()}, a link to set a new password is on its way there.
        </p>
        <Back />
      </SignInCard>
    );
  }
  return (
    <SignInCard title="Forgotten password">
      <form
        className={css.form}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (email.trim() !== '' && !ask.isPending) ask.mutate();
        }}
      >
        <Field label="E-mail address" hint="A link to set a new password is sent there." error={ask.isError ? sentenceOf(ask.error) : null}>
          {(control) => (
            <Input {...control} type="email" autoComplete="email" autoFocus value={email} onChange={(event) => setEmail(event.target.value)} />
          )}
        </Field>
        <Button type="submit" look="primary" busy={ask.isPending} disabled={email.trim() === ''}>
          Send the link
        </Button>
      </form>
      <Back />
    </SignInCard>
  );
}

/** Sets a new password, with the key of the link. */
export function ResetPage() {
  useTitle('New password');
  const { key } = route.useParams();
  const [password, setPassword] = useState('');
  const save = useMutation({ mutationFn: () => resetPassword(key, password), gcTime: 0 });
  const fields = save.error instanceof Problem ? save.error.fields : [];
  const stale = fields.some((each) => each.field === 'key');
  if (save.isSuccess || stale) {
    return (
      <SignInCard title={stale ? 'This link has ended' : 'Your password is set'}>
        <p className={css.soft} role="status">
          {stale ? 'It was used already, or is too old. Ask for another one.' : 'You are signed out everywhere: sign in with the new one.'}
        </p>
        {stale && (
          <Link to="/sign-in/reset" className={css.link}>
            Ask for another link
          </Link>
        )}
        <Back />
      </SignInCard>
    );
  }
  const wrong = fields.filter((each) => each.field === 'password').map((each) => each.message);
  return (
    <SignInCard title="New password">
      <form
        className={css.form}
        onSubmit={(event) => {
          event.preventDefault();
          if (password !== '' && !save.isPending) save.mutate();
        }}
      >
        {save.isError && wrong.length === 0 && <Notice>{sentenceOf(save.error)}</Notice>}
        <PasswordField
          fresh
          autoFocus
          label="New password"
          hint="At least 10 characters, and none that is easily guessed."
          error={wrong.join(' ') || null}
          value={password}
          onChange={setPassword}
        />
        <Button type="submit" look="primary" busy={save.isPending} disabled={password === ''}>
          Set it
        </Button>
      </form>
    </SignInCard>
  );
}
