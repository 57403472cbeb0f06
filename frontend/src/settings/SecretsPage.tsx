import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { KeyRound, Plus } from 'lucide-react';
import { useState } from 'react';
import { meQuery } from '../api/me';
import { secretsQuery } from '../api/secrets';
import type { Me, Secret } from '../api/types';
import { Listed } from '../lists/Listed';
import { Button } from '../ui/Button';
import { Ago, PersonName } from '../ui/Facts';
import { EmptyState } from '../ui/Feedback';
import { Card, PageBody, PageHead, useTitle } from '../ui/Page';
import table from '../ui/Table.module.css';
import { AddSecretDialog } from './AddSecretDialog';
import { SecretDialog } from './SecretDialog';
import css from './Secrets.module.css';
import { managedTeams, mayManage } from './words';

/** The secrets of one's teams: names for every member, new values for admins, old values for nobody. */
export function SecretsPage() {
  useTitle('Secrets');
  const { data: me } = useQuery(meQuery);
  const [adding, setAdding] = useState(false);
  const teams = managedTeams(me);
  return (
    <PageBody>
      <PageHead
        title="Secrets"
        below="Passwords, keys and tokens that tasks are given by name. A value goes in and is never shown again; in logs it is hidden."
        actions={
          teams.length > 0 && (
            <Button look="primary" icon={<Plus />} onClick={() => setAdding(true)}>
              Add a secret
            </Button>
          )
        }
      />
      <Card>
        <SecretsTable me={me} />
      </Card>
      {adding && me && <AddSecretDialog me={me} onClose={() => setAdding(false)} />}
    </PageBody>
  );
}

function SecretsTable({ me }: { me: Me | undefined }) {
  const query = useInfiniteQuery(secretsQuery);
  const [open, setOpen] = useState<Secret | null>(null);
  return (
    <>
      <Listed query={query} what="the secrets" skeletons={6} empty={<NoneYet may={managedTeams(me).length > 0} />}>
        {(secrets) => (
          <div className={table.scroller}>
            <table className={table.table}>
              <thead>
                <tr>
                  <th>Name</th>
                  <th className={table.roomy}>Description</th>
                  <th className={table.right}>Version</th>
                  <th>Changed</th>
                  <th>Team</th>
                </tr>
              </thead>
              <tbody>
                {secrets.map((secret) => (
                  <Row key={secret.id} secret={secret} onOpen={() => setOpen(secret)} />
                ))}
              </tbody>
            </table>
          </div>
        )}
      </Listed>
      {open !== null && <SecretDialog secret={open} manage={mayManage(me, open)} onClose={() => setOpen(null)} />}
    </>
  );
}

function Row({ secret, onOpen }: { secret: Secret; onOpen: () => void }) {
  return (
    <tr>
      <td>
        <button type="button" className={css.open} onClick={onOpen}>
          <code>{secret.name}</code>
        </button>
      </td>
      <td className={`${table.soft} ${table.roomy} ${css.description}`}>
        <span className={table.cut} title={secret.description}>
          {secret.description || '–'}
        </span>
      </td>
      <td className={table.right}>{secret.version}</td>
      <td className={`${table.soft} ${table.nowrap}`}>
        <Ago at={secret.changed_at} /> by <PersonName person={secret.changed_by} none="the system" />
      </td>
      <td className={`${table.soft} ${table.short}`}>
        <span title={secret.team}>{secret.team}</span>
      </td>
    </tr>
  );
}

function NoneYet({ may }: { may: boolean }) {
  return (
    <EmptyState icon={<KeyRound />} title="No secrets yet">
      {may
        ? 'Add one, and tasks of your team can be given it by its name.'
        : 'An admin of your team can add some; then their names are listed here.'}
    </EmptyState>
  );
}
