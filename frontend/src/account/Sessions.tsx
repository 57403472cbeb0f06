import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { endSessions, sessionsQuery, type Session } from '../api/account';
import { sentenceOf } from '../api/problem';
import { Button } from '../ui/Button';
import { Ago } from '../ui/Facts';
import { ErrorState, Notice, SkeletonRows } from '../ui/Feedback';
import { Section } from '../ui/Page';
import table from '../ui/Table.module.css';
import css from './Account.module.css';
import { deviceOf, isoOf } from './words';

/** Where one is signed in; every place but this one can be ended from here. */
export function Sessions() {
  const { data, error, isError, refetch } = useQuery(sessionsQuery);
  const queryClient = useQueryClient();
  const end = useMutation({
    mutationFn: endSessions,
    onSuccess: () => queryClient.invalidateQueries({ queryKey: sessionsQuery.queryKey }),
  });
  const others = (data ?? []).filter((each) => !each.is_current);
  return (
    <Section
      flush
      title="Where you are signed in"
      actions={
        others.length > 1 && (
          <Button small busy={end.isPending} onClick={() => end.mutate(others.map((each) => each.id))}>
            End all others
          </Button>
        )
      }
    >
      {isError && <ErrorState title="Your sessions could not be loaded." detail={sentenceOf(error)} onRetry={() => void refetch()} />}
      {!data && !isError && <SkeletonRows rows={2} label="Loading your sessions" />}
      {end.isError && <Notice>{sentenceOf(end.error)}</Notice>}
      {data && (
        <div className={table.scroller}>
          <table className={table.table}>
            <thead>
              <tr>
                <th>Browser</th>
                <th>Address</th>
                <th>Signed in</th>
                <th>Last used</th>
                <th>
                  <span className="visually-hidden">End</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {data.map((session) => (
                <Row key={session.id} session={session} busy={end.isPending} onEnd={() => end.mutate([session.id])} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Section>
  );
}

function Row({ session, busy, onEnd }: { session: Session; busy: boolean; onEnd: () => void }) {
  const device = deviceOf(session.user_agent);
  return (
    <tr>
      <td className={css.device}>
        <span className={table.cut} title={session.user_agent}>
          {device}
        </span>
      </td>
      <td className={table.soft}>{session.ip}</td>
      <td className={`${table.soft} ${table.nowrap}`}>
        <Ago at={isoOf(session.created_at)} />
      </td>
      <td className={`${table.soft} ${table.nowrap}`}>
        <Ago at={isoOf(session.last_seen_at)} />
      </td>
      <td className={table.right}>
        {session.is_current ? (
          <span className={table.soft}>this one</span>
        ) : (
          <Button small disabled={busy} onClick={onEnd} aria-label={`End the session of ${device}, ${session.ip}`}>
            End
          </Button>
        )}
      </td>
    </tr>
  );
}
