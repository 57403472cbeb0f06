import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { teamLimitsQuery } from '../api/admission';
import { sentenceOf } from '../api/problem';
import type { TeamLimits as Limits } from '../api/types';
import { Button } from '../ui/Button';
import { Fact, Facts } from '../ui/Facts';
import { ErrorState, SkeletonRows } from '../ui/Feedback';
import { formatCount } from '../ui/format';
import { Section } from '../ui/Page';
import { COUNTS, LimitsDialog, NAMES } from './LimitsDialog';

/** What a team has now of what it may have at a time; a site admin says how much that is. */
export function TeamLimits({ team }: { team: string }) {
  const query = useQuery(teamLimitsQuery(team));
  const [open, setOpen] = useState(false);
  return (
    <Section title="Limits" actions={query.data?.may_set && <Button small onClick={() => setOpen(true)}>Set limits</Button>}>
      {query.isPending && <SkeletonRows rows={3} label="Loading the limits" />}
      {query.isError && (
        <ErrorState title="The limits could not be loaded." detail={sentenceOf(query.error)} onRetry={() => void query.refetch()} />
      )}
      {query.data && <Figures limits={query.data} />}
      {query.data && open && <LimitsDialog limits={query.data} onClose={() => setOpen(false)} />}
    </Section>
  );
}

function Figures({ limits }: { limits: Limits }) {
  return (
    <Facts>
      {COUNTS.map((name) => (
        <Fact key={name} name={NAMES[name]}>
          {formatCount(limits.now[name])} now, {atMost(limits[name])}
        </Fact>
      ))}
      <Fact name="Share">{formatCount(limits.weight ?? 1)}, beside those of other teams on a queue</Fact>
      {limits.queues.map((each) => (
        <Fact key={each.queue} name={`Queue ${each.queue}`}>
          tasks that run: {atMost(each.running_tasks)}
          {each.weight !== null && `; share ${formatCount(each.weight)}`}
        </Fact>
      ))}
    </Facts>
  );
}

function atMost(limit: number | null): string {
  return limit === null ? 'no limit' : `at most ${formatCount(limit)}`;
}
