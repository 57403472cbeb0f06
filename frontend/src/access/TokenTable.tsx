import { useInfiniteQuery } from '@tanstack/react-query';
import { KeyRound } from 'lucide-react';
import { useState } from 'react';
import { revokeToken, tokensQuery, type TokenOwner } from '../api/access';
import type { Token } from '../api/types';
import { Listed } from '../lists/Listed';
import { Button } from '../ui/Button';
import { Ago } from '../ui/Facts';
import { EmptyState } from '../ui/Feedback';
import table from '../ui/Table.module.css';
import css from './Access.module.css';
import { Question } from '../forms/Question';

/** Tokens of oneself or of a service account, the newest first. */
export function TokenTable({ owner }: { owner: TokenOwner }) {
  const query = useInfiniteQuery(tokensQuery(owner));
  const [revoking, setRevoking] = useState<Token | null>(null);
  return (
    <>
      <Listed query={query} what="the tokens" empty={<NoTokens owner={owner} />}>
        {(tokens) => (
          <div className={table.scroller}>
            <table className={table.table}>
              <thead>
                <tr>
                  <th>What it is for</th>
                  <th>May</th>
                  <th className={table.wide}>Team</th>
                  <th className={table.roomy}>Last used</th>
                  <th>Ends</th>
                  <th>
                    <span className="visually-hidden">Revoke</span>
                  </th>
                </tr>
              </thead>
              <tbody>
                {tokens.map((token) => (
                  <Row key={token.id} token={token} onRevoke={() => setRevoking(token)} />
                ))}
              </tbody>
            </table>
          </div>
        )}
      </Listed>
      {revoking && (
        <Question
          title={`Revoke ${revoking.name}?`}
          act="Revoke"
          keep="Keep it"
          run={() => revokeToken(owner, revoking.id)}
          stale={['tokens', 'service-accounts']}
          onClose={() => setRevoking(null)}
        >
          <p>Whatever uses it is refused from now on. It cannot be made valid again.</p>
        </Question>
      )}
    </>
  );
}

function NoTokens({ owner }: { owner: TokenOwner }) {
  return (
    <EmptyState icon={<KeyRound />} title="No tokens yet">
      {owner ? 'Without a token this account can do nothing.' : 'A program that works in your name signs in with a token.'}
    </EmptyState>
  );
}

function Row({ token, onRevoke }: { token: Token; onRevoke: () => void }) {
  const over = token.state === 'revoked' || token.state === 'expired';
  return (
    <tr>
      <td className={table.name}>
        <span className={table.cut} title={token.name}>
          {token.name || '–'}
        </span>
      </td>
      <td className={table.soft}>{token.scopes.join(', ')}</td>
      <td className={`${table.soft} ${table.short} ${table.wide}`}>{token.team ?? 'all'}</td>
      <td className={`${table.soft} ${table.nowrap} ${table.roomy}`}>{token.last_used_at ? <Ago at={token.last_used_at} /> : 'never'}</td>
      <td className={table.nowrap}>
        <End token={token} />
      </td>
      <td className={table.right}>
        {!over && (
          <Button small look="danger" aria-label={`Revoke ${token.name}`} onClick={onRevoke}>
            Revoke
          </Button>
        )}
      </td>
    </tr>
  );
}

/** When a token ends; said louder in its last days, so that nothing stops by surprise. */
function End({ token }: { token: Token }) {
  if (token.state === 'revoked') return <span className={css.ended}>revoked</span>;
  if (!token.expires_at) return <span className={table.soft}>never</span>;
  if (token.state === 'expired') return <span className={css.ended}>expired</span>;
  return (
    <span className={token.state === 'ending' ? css.ending : table.soft}>
      {token.state === 'ending' && 'soon: '}
      <Ago at={token.expires_at} />
    </span>
  );
}
