import { useQuery } from '@tanstack/react-query';
import { Plus } from 'lucide-react';
import { useState } from 'react';
import { meQuery } from '../api/me';
import { Button } from '../ui/Button';
import { Card, PageBody, PageHead, useTitle } from '../ui/Page';
import { NewTokenDialog } from './NewTokenDialog';
import { TokenTable } from './TokenTable';

/** One's own tokens: made, shown once, revoked. */
export function TokensPage() {
  useTitle('My tokens');
  const { data: me } = useQuery(meQuery);
  const [making, setMaking] = useState(false);
  return (
    <PageBody>
      <PageHead
        title="My tokens"
        below="What programs sign in with that work in your name. What works for a team should have a service account instead: it stays when you leave."
        actions={
          <Button look="primary" icon={<Plus />} onClick={() => setMaking(true)}>
            New token
          </Button>
        }
      />
      <Card>
        <TokenTable owner={null} />
      </Card>
      {making && me && <NewTokenDialog owner={null} teams={me.teams} onClose={() => setMaking(false)} />}
    </PageBody>
  );
}
