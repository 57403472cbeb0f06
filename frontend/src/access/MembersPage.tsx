import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { Plus, Users } from 'lucide-react';
import { useState } from 'react';
import { membersQuery } from '../api/access';
import { meQuery } from '../api/me';
import type { Me, Member } from '../api/types';
import { rememberTeam, usualTeam } from '../forms/lastTeam';
import { Listed } from '../lists/Listed';
import { Button } from '../ui/Button';
import { EmptyState } from '../ui/Feedback';
import { Select } from '../ui/Fields';
import { Card, PageBody, PageHead, Section, useTitle } from '../ui/Page';
import table from '../ui/Table.module.css';
import css from './Access.module.css';
import { RolesDialog } from './RolesDialog';
import { ServiceAccounts } from './ServiceAccounts';
import { TeamSharing } from './Sharing';
import { TeamLimits } from './TeamLimits';
import { manages } from './words';

const route = getRouteApi('/shell/settings/members');

/** Who is in a team and in which roles, the accounts of its programs, and what it lends and borrows. */
export function MembersPage() {
  const { data: me } = useQuery(meQuery);
  const search = route.useSearch();
  const team = me?.teams.find((each) => each.slug === search.team) ?? usualTeam(me?.teams ?? []);
  useTitle('Members', team?.name);
  if (!me) return null;
  if (!team) return <NoTeam />;
  const manage = manages(me, team.slug);
  return (
    <PageBody>
      <PageHead
        title="Members"
        below={`Who works in the team ${team.name}, and what programs and other teams may do with what it has.`}
        actions={me.teams.length > 1 && <TeamChoice me={me} team={team.slug} />}
      />
      <Members team={team.slug} manage={manage} />
      <ServiceAccounts team={team.slug} manage={manage} />
      <TeamLimits team={team.slug} />
      <TeamSharing team={team.slug} way="given" />
      <TeamSharing team={team.slug} way="received" />
    </PageBody>
  );
}

function NoTeam() {
  return (
    <PageBody>
      <PageHead title="Members" />
      <Card>
        <EmptyState icon={<Users />} title="You are in no team">
          An admin of a team can take you into it; until then nothing of any team is shown to you.
        </EmptyState>
      </Card>
    </PageBody>
  );
}

function TeamChoice({ me, team }: { me: Me; team: string }) {
  const navigate = route.useNavigate();
  const choose = (slug: string) => {
    rememberTeam(slug);
    void navigate({ search: { team: slug }, replace: true });
  };
  return (
    <Select aria-label="Team" value={team} onChange={(event) => choose(event.target.value)}>
      {me.teams.map((each) => (
        <option key={each.slug} value={each.slug}>
          {each.name}
        </option>
      ))}
    </Select>
  );
}

function Members({ team, manage }: { team: string; manage: boolean }) {
  const query = useInfiniteQuery(membersQuery(team));
  const [open, setOpen] = useState<Member | 'new' | null>(null);
  return (
    <Section
      title="People"
      flush
      actions={
        manage && (
          <Button small icon={<Plus />} onClick={() => setOpen('new')}>
            Add a member
          </Button>
        )
      }
    >
      <Listed query={query} what="the members" empty={<EmptyState icon={<Users />} title="Nobody is in this team" />}>
        {(members) => (
          <div className={table.scroller}>
            <table className={table.table}>
              <thead>
                <tr>
                  <th>Name</th>
                  <th className={table.roomy}>E-mail</th>
                  <th>Roles</th>
                </tr>
              </thead>
              <tbody>
                {members
                  .filter((member) => !member.service)
                  .map((member) => (
                    <tr key={member.username}>
                      <td className={css.who}>
                        <MemberName member={member} onOpen={manage ? () => setOpen(member) : null} />
                      </td>
                      <td className={`${table.soft} ${table.roomy} ${table.short}`}>
                        <span title={member.email ?? ''}>{member.email}</span>
                      </td>
                      <td className={table.soft}>{member.roles.join(', ')}</td>
                    </tr>
                  ))}
              </tbody>
            </table>
          </div>
        )}
      </Listed>
      {open && <RolesDialog team={team} given={{ kind: 'person', member: open === 'new' ? null : open }} onClose={() => setOpen(null)} />}
    </Section>
  );
}

function MemberName({ member, onOpen }: { member: Member; onOpen: (() => void) | null }) {
  const name = member.name || member.username;
  return (
    <>
      {onOpen ? (
        <button type="button" className={css.open} title={member.username} onClick={onOpen}>
          {name}
        </button>
      ) : (
        <span title={member.username}>{name}</span>
      )}
      {!member.active && <span className={css.ended}> may not sign in</span>}
    </>
  );
}
