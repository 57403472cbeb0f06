import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { changePassword } from '../api/account';
import { Problem, sentenceOf } from '../api/problem';
import { PasswordField } from '../signin/PasswordField';
import { Button } from '../ui/Button';
import { Notice } from '../ui/Feedback';
import { Section } from '../ui/Page';
import css from './Account.module.css';

const EMPTY = { current: '', fresh: '', again: '' };

/** A new password for the old one; every other session ends with it. */
export function PasswordSection() {
  const [form, setForm] = useState(EMPTY);
  const save = useMutation({
    mutationFn: () => changePassword(form.current, form.fresh),
    gcTime: 0,
    onSuccess: () => setForm(EMPTY),
  });
  const change = (part: Partial<typeof form>) => {
    save.reset();
    setForm((old) => ({ ...old, ...part }));
  };
  const refused = save.error instanceof Problem ? save.error.fields : [];
  const errorOf = (field: string) => refused.filter((each) => each.field === field).map((each) => each.message).join(' ') || null;
  const differs = form.again !== '' && form.again !== form.fresh;
  const ready = form.current !== '' && form.fresh !== '' && form.again === form.fresh;
  return (
    <Section title="Password">
      <div className={css.stack}>
        {save.isError && refused.length === 0 && <Notice>{sentenceOf(save.error)}</Notice>}
        <form
          onSubmit={(event) => {
            event.preventDefault();
            if (ready && !save.isPending) save.mutate();
          }}
        >
          <PasswordField label="Current password" value={form.current} error={errorOf('current_password')} onChange={(current) => change({ current })} />
          <PasswordField
            fresh
            label="New password"
            hint="At least 10 characters, and none that is easily guessed."
            value={form.fresh}
            error={errorOf('new_password')}
            onChange={(fresh) => change({ fresh })}
          />
          <PasswordField fresh label="The same again" value={form.again} error={differs ? 'The two differ.' : null} onChange={(again) => change({ again })} />
          <div className={css.row}>
            <Button type="submit" busy={save.isPending} disabled={!ready}>
              Change the password
            </Button>
            <span role="status">{save.isSuccess && 'Changed. You are signed out everywhere else.'}</span>
          </div>
        </form>
      </div>
    </Section>
  );
}
