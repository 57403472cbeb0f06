import { useQuery } from '@tanstack/react-query';
import { type QueueShape, queueQuery } from '../api/fleet';

/** Why a task that is ready has to wait for its queue, beyond its workers being busy. Nothing while that is unknown. */
export function QueueWords({ slug }: { slug: string }) {
  const { data: queue } = useQuery(queueQuery(slug));
  return queue ? reasonsOf(queue).map((reason) => <p key={reason}>{reason}</p>) : null;
}

function reasonsOf(queue: QueueShape): string[] {
  if (queue.workers === 0) return ['No worker serves this queue now.'];
  return [queue.isolation_problem, ...queue.troubles].filter((reason) => reason !== '').map(withStop);
}

function withStop(reason: string): string {
  return reason.endsWith('.') ? reason : `${reason}.`;
}
