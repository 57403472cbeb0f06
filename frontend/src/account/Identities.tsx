import { useMutation, useQueryClient } from '@tanstack/react-query';
import { addressAt, unlink, type Ways } from '../api/account';
import { sentenceOf } from '../api/problem';
import { Button } from '../ui/Button';
import { Notice } from '../ui/Feedback';
import { Section } from '../ui/Page';
import css from './Account.module.css';

/** At which providers one may sign in as oneself. */
export function Identities({ ways }: { ways: Ways }) {
  const queryClient = useQueryClient();
  const end = useMutation({
    mutationFn: unlink,
    onSuccess: () => queryClient.invalidateQueries({ queryKey: ['account', 'ways'] }),
  });
  const begin = useMutation({
    mutationFn: (provider: string) => addressAt(provider, 'link', '/account'),
    onSuccess: (address) => window.location.assign(address),
  });
  const failed = end.error ?? begin.error;
  const open = ways.providers.filter(({ id }) => !ways.identities.some((each) => each.provider === id));
  return (
    <Section title="Providers">
      <div className={css.stack}>
        {failed !== null && <Notice>{sentenceOf(failed)}</Notice>}
        {ways.identities.map((each) => (
          <div key={each.id} className={css.identity}>
            <span>
              {each.name}
              {each.email !== null && <span className={css.soft}> as {each.email}</span>}
              {!each.known && <span className={css.soft}> (no longer configured)</span>}
            </span>
            <Button small disabled={end.isPending} onClick={() => end.mutate(each)} aria-label={`Unlink ${each.name}`}>
              Unlink
            </Button>
          </div>
        ))}
        {open.map(({ id, name }) => (
          <div key={id} className={css.identity}>
            <span>
              {name} <span className={css.soft}>is not linked: link it, and you can sign in there.</span>
            </span>
            <Button small busy={begin.isPending && begin.variables === id} disabled={begin.isPending} onClick={() => begin.mutate(id)}>
              Link {name}
            </Button>
          </div>
        ))}
      </div>
    </Section>
  );
}
