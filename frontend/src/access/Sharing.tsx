import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Handshake, Plus } from 'lucide-react';
import { useState } from 'react';
import { endGrant, grantsQuery } from '../api/access';
import { meQuery } from '../api/me';
import type { Grant } from '../api/types';
import { Listed } from '../lists/Listed';
import { Button } from '../ui/Button';
import { Ago, PersonName } from '../ui/Facts';
import { EmptyState } from '../ui/Feedback';
import { Section } from '../ui/Page';
import table from '../ui/Table.module.css';
import css from './Access.module.css';
import { LendDialog, type Lendable } from './LendDialog';
import { Question } from '../forms/Question';
import { belongsTo, KIND_WORDS, LENT_WORDS, manages } from './words';

/** The teams to which a thing is lent, on its own page; nothing for those it is lent to. */
export function Sharing({ thing }: { thing: Lendable }) {
  const { data: me } = useQuery(meQuery);
  const [lending, setLending] = useState(false);
  if (!belongsTo(me, thing.team)) return null;
  return (
    <Section
      title="Sharing"
      actions={
        manages(me, thing.team) && (
          <Button small icon={<Plus />} onClick={() => setLending(true)}>
            Share
          </Button>
        )
      }
    >
      <SharedWith thing={thing} />
      {lending && <LendDialog thing={thing} onClose={() => setLending(false)} />}
    </Section>
  );
}

/** The same inside of a dialog, which has room for a list only. */
export function SharedWith({ thing }: { thing: Lendable }) {
  const query = useInfiniteQuery(grantsQuery({ object: thing.id }));
  const [ending, setEnding] = useState<Grant | null>(null);
  const only = <p className={css.soft}>Only the team {thing.team} has it.</p>;
  return (
    <>
      <Listed query={query} what="the teams it is lent to" empty={only}>
        {(grants) => (
          <ul className={css.lines}>
            {grants.map((grant) => (
              <li key={grant.id} className={css.line}>
                <span title={LENT_WORDS[grant.kind]?.[grant.verb]}>
                  {grant.team} may {grant.verb} it
                </span>
                {grant.can_end && (
                  <Button small aria-label={`Take back from ${grant.team} to ${grant.verb}`} onClick={() => setEnding(grant)}>
                    Take back
                  </Button>
                )}
              </li>
            ))}
          </ul>
        )}
      </Listed>
      {ending && <TakeBack grant={ending} onClose={() => setEnding(null)} />}
    </>
  );
}

function TakeBack({ grant, onClose }: { grant: Grant; onClose: () => void }) {
  return (
    <Question
      title={`Take ${grant.name} back from ${grant.team}?`}
      act="Take back"
      keep="Leave it shared"
      run={() => endGrant(grant.id)}
      stale={['grants']}
      onClose={onClose}
    >
      <p>{FOLLOWS[grant.verb] ?? FOLLOWS.use}</p>
    </Question>
  );
}

const FOLLOWS: Record<string, string> = {
  view: 'They no longer see it, nor what belongs to it.',
  run: 'They can start no more runs of it. Those that have begun go on.',
  use: 'Their pipelines that name it have a problem from now on, and their runs are refused. Runs that have begun keep the code they began with, but are given no secret and no endpoint any more.',
};

/** All that a team has lent to others, or others to it. */
export function TeamSharing({ team, way }: { team: string; way: 'given' | 'received' }) {
  const query = useInfiniteQuery(grantsQuery({ team, way }));
  const [ending, setEnding] = useState<Grant | null>(null);
  const given = way === 'given';
  return (
    <Section title={given ? 'Lent to other teams' : 'Lent by other teams'} flush>
      <Listed
        query={query}
        what={given ? 'what is lent' : 'what is borrowed'}
        empty={
          <EmptyState icon={<Handshake />} title={given ? 'Nothing is lent' : 'Nothing is borrowed'}>
            {given
              ? 'A pipeline, code location, secret or endpoint is lent on its own page.'
              : 'What another team lends to this one is listed here, with the name by which documents use it.'}
          </EmptyState>
        }
      >
        {(grants) => (
          <div className={table.scroller}>
            <table className={table.table}>
              <thead>
                <tr>
                  <th>What</th>
                  <th>{given ? 'To' : 'Of'}</th>
                  <th>For</th>
                  <th className={table.roomy}>Since</th>
                  {given && (
                    <th>
                      <span className="visually-hidden">Take back</span>
                    </th>
                  )}
                </tr>
              </thead>
              <tbody>
                {grants.map((grant) => (
                  <Row key={grant.id} grant={grant} given={given} onEnd={() => setEnding(grant)} />
                ))}
              </tbody>
            </table>
          </div>
        )}
      </Listed>
      {ending && <TakeBack grant={ending} onClose={() => setEnding(null)} />}
    </Section>
  );
}

function Row({ grant, given, onEnd }: { grant: Grant; given: boolean; onEnd: () => void }) {
  return (
    <tr>
      <td className={table.name}>
        <span className={table.cut} title={grant.name}>
          {KIND_WORDS[grant.kind] ?? grant.kind} <code>{grant.name}</code>
        </span>
      </td>
      <td className={`${table.soft} ${table.short}`}>{given ? grant.team : grant.owner}</td>
      <td className={table.soft} title={LENT_WORDS[grant.kind]?.[grant.verb]}>
        {grant.verb}
      </td>
      <td className={`${table.soft} ${table.nowrap} ${table.roomy}`}>
        <Ago at={grant.created_at} /> by <PersonName person={grant.created_by} />
      </td>
      {given && (
        <td className={table.right}>
          {grant.can_end && (
            <Button small aria-label={`Take back ${grant.name}, lent to ${grant.team} to ${grant.verb}`} onClick={onEnd}>
              Take back
            </Button>
          )}
        </td>
      )}
    </tr>
  );
}
