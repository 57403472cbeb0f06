import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { Pencil, Plus } from 'lucide-react';
import { useState } from 'react';
import { changeServiceAccount, serviceAccountQuery } from '../api/access';
import { meQuery } from '../api/me';
import { Problem, sentenceOf } from '../api/problem';
import type { ServiceAccount } from '../api/types';
import { Button } from '../ui/Button';
import { Ago, Fact, Facts, PersonName } from '../ui/Facts';
import { ErrorState, NotFound, SkeletonRows } from '../ui/Feedback';
import { PageBody, PageHead, Section, useTitle } from '../ui/Page';
import { NewTokenDialog } from './NewTokenDialog';
import { Question } from '../forms/Question';
import { RolesDialog } from './RolesDialog';
import { TokenTable } from './TokenTable';
import { manages } from './words';

const route = getRouteApi('/shell/settings/service-accounts/$username');
const STALE = ['service-accounts', 'tokens', 'members'];

/** One account of a team's programs: its roles, who made it, and its tokens. */
export function ServiceAccountPage() {
  const { username } = route.useParams();
  const query = useQuery(serviceAccountQuery(username));
  useTitle(username, 'Service account');
  if (query.data) return <Loaded account={query.data} />;
  return (
    <PageBody>
      {query.isPending && <SkeletonRows label="Loading the service account" />}
      {query.isError && <Failed username={username} error={query.error} onRetry={() => void query.refetch()} />}
    </PageBody>
  );
}

function Failed({ username, error, onRetry }: { username: string; error: Error; onRetry: () => void }) {
  if (error instanceof Problem && error.status === 404) {
    return (
      <NotFound title={`There is no service account ${username}.`}>
        <Link to="/settings/members">To the members</Link>
      </NotFound>
    );
  }
  return <ErrorState page title="The service account could not be loaded." detail={sentenceOf(error)} onRetry={onRetry} />;
}

type Open = 'roles' | 'token' | 'disable' | 'enable' | null;

function Loaded({ account }: { account: ServiceAccount }) {
  const { data: me } = useQuery(meQuery);
  const [open, setOpen] = useState<Open>(null);
  const manage = manages(me, account.team);
  const close = () => setOpen(null);
  return (
    <PageBody>
      <PageHead
        above={
          <>
            <Link to="/settings/members" search={{ team: account.team }}>
              Members
            </Link>{' '}
            / {account.team}
          </>
        }
        title={account.username}
        below={account.active ? account.name : 'Disabled: it can do nothing, and its tokens are revoked.'}
        actions={
          manage && (
            <>
              <Button icon={<Pencil />} onClick={() => setOpen('roles')}>
                Roles
              </Button>
              {account.active ? (
                <Button look="danger" onClick={() => setOpen('disable')}>
                  Disable
                </Button>
              ) : (
                <Button onClick={() => setOpen('enable')}>Enable</Button>
              )}
            </>
          )
        }
      />
      <Section title="About">
        <Facts>
          <Fact name="Team">{account.team}</Fact>
          <Fact name="Roles">{account.roles.join(', ') || 'none'}</Fact>
          <Fact name="Made">
            <Ago at={account.created_at} /> by <PersonName person={account.created_by} none="the system" />
          </Fact>
          <Fact name="Last used">{account.last_used_at ? <Ago at={account.last_used_at} /> : 'never'}</Fact>
        </Facts>
      </Section>
      {manage && (
        <Section
          title="Tokens"
          flush
          actions={
            account.active && (
              <Button small icon={<Plus />} onClick={() => setOpen('token')}>
                New token
              </Button>
            )
          }
        >
          <TokenTable owner={{ username: account.username }} />
        </Section>
      )}
      {open === 'roles' && <RolesDialog team={account.team} given={{ kind: 'service', account }} onClose={close} />}
      {open === 'token' && <NewTokenDialog owner={{ username: account.username }} teams={[]} onClose={close} />}
      {open === 'disable' && (
        <Question
          title={`Disable ${account.username}?`}
          act="Disable"
          keep="Keep it"
          run={() => changeServiceAccount(account.username, { active: false })}
          stale={STALE}
          onClose={close}
        >
          <p>All its tokens are revoked for good, so whatever uses them stops. Its roles stay for the day it is enabled again.</p>
        </Question>
      )}
      {open === 'enable' && (
        <Question
          title={`Enable ${account.username}?`}
          act="Enable"
          keep="Leave it disabled"
          run={() => changeServiceAccount(account.username, { active: true })}
          stale={STALE}
          onClose={close}
        >
          <p>It has its roles again. Its old tokens stay revoked: make it a new one.</p>
        </Question>
      )}
    </PageBody>
  );
}
