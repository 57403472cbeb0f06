import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Bot, Plus } from 'lucide-react';
import { useState } from 'react';
import { serviceAccountsQuery } from '../api/access';
import type { ServiceAccount } from '../api/types';
import { Listed } from '../lists/Listed';
import { Button } from '../ui/Button';
import { Ago } from '../ui/Facts';
import { EmptyState } from '../ui/Feedback';
import { Section } from '../ui/Page';
import table from '../ui/Table.module.css';
import css from './Access.module.css';
import { RolesDialog } from './RolesDialog';

/** The accounts of a team's programs: they have roles and tokens, and nobody signs in with them. */
export function ServiceAccounts({ team, manage }: { team: string; manage: boolean }) {
  const query = useInfiniteQuery(serviceAccountsQuery(team));
  const [adding, setAdding] = useState(false);
  return (
    <Section
      title="Service accounts"
      flush
      actions={
        manage && (
          <Button small icon={<Plus />} onClick={() => setAdding(true)}>
            Add a service account
          </Button>
        )
      }
    >
      <Listed
        query={query}
        what="the service accounts"
        empty={
          <EmptyState icon={<Bot />} title="No service accounts">
            A program that works for the team, whoever leaves it, has one: with roles like a member and tokens of its own.
          </EmptyState>
        }
      >
        {(accounts) => <Accounts accounts={accounts} />}
      </Listed>
      {adding && <RolesDialog team={team} given={{ kind: 'service', account: null }} onClose={() => setAdding(false)} />}
    </Section>
  );
}

function Accounts({ accounts }: { accounts: ServiceAccount[] }) {
  return (
    <div className={table.scroller}>
      <table className={table.table}>
        <thead>
          <tr>
            <th>Name</th>
            <th>Roles</th>
            <th className={table.right}>Tokens</th>
            <th className={table.roomy}>Last used</th>
          </tr>
        </thead>
        <tbody>
          {accounts.map((account) => (
            <tr key={account.username}>
              <td className={css.who}>
                <Link to="/settings/service-accounts/$username" params={{ username: account.username }} title={account.name}>
                  {account.username}
                </Link>
                {!account.active && <span className={css.ended}> disabled</span>}
              </td>
              <td className={table.soft}>{account.roles.join(', ') || 'none'}</td>
              <td className={table.right}>{account.tokens}</td>
              <td className={`${table.soft} ${table.nowrap} ${table.roomy}`}>
                {account.last_used_at ? <Ago at={account.last_used_at} /> : 'never'}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
