import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { waysQuery, type Ways } from '../api/account';
import { meQuery } from '../api/me';
import { Problem, sentenceOf } from '../api/problem';
import type { Me } from '../api/types';
import { refusalWords } from '../signin/words';
import { Fact, Facts } from '../ui/Facts';
import { ErrorState, Notice, SkeletonRows } from '../ui/Feedback';
import { PageBody, PageHead, Section, useTitle } from '../ui/Page';
import { Identities } from './Identities';
import { PasswordSection } from './PasswordSection';
import { SecondFactor } from './SecondFactor';
import { Sessions } from './Sessions';

const route = getRouteApi('/shell/account');

/** Who one is here, by what one signs in, and where one is signed in. */
export function AccountPage() {
  useTitle('Your account');
  const { data: me } = useQuery(meQuery);
  const refusal = refusalWords(route.useSearch().error);
  return (
    <PageBody>
      <PageHead title="Your account" below="How you sign in, and where you are signed in now." />
      {refusal !== null && <Notice>{refusal}</Notice>}
      {me && <Profile me={me} />}
      <WaysIn />
      <Sessions />
    </PageBody>
  );
}

function Profile({ me }: { me: Me }) {
  return (
    <Section title="You">
      <Facts>
        <Fact name="Name">{me.name || me.username}</Fact>
        <Fact name="User name">{me.username}</Fact>
        {me.email !== null && <Fact name="E-mail address">{me.email}</Fact>}
        <Fact name="Teams">{me.teams.map((team) => `${team.name} (${team.roles.join(', ')})`).join('; ') || teamless(me)}</Fact>
      </Facts>
    </Section>
  );
}

function teamless(me: Me): string {
  return me.is_superuser ? 'None; as a site admin you see all of them' : 'None yet: ask an admin of the team you work in to add you';
}

function WaysIn() {
  const { data: ways, error, isError, refetch } = useQuery(waysQuery);
  if (isError) {
    return (
      <ErrorState
        title="How you sign in could not be loaded."
        detail={sentenceOf(error)}
        offline={error instanceof Problem && error.unreachable}
        onRetry={() => void refetch()}
      />
    );
  }
  if (!ways) return <SkeletonRows rows={4} label="Loading how you sign in" />;
  return <Loaded ways={ways} />;
}

function Loaded({ ways }: { ways: Ways }) {
  return (
    <>
      {ways.password && <PasswordSection />}
      <SecondFactor />
      {(ways.providers.length > 0 || ways.identities.length > 0) && <Identities ways={ways} />}
    </>
  );
}
