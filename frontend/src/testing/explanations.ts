import type { Blocker, Explanation, TaskRun } from '../api/types';
import { found, type Handler, type World } from './world';

/* What the fake server answers to the question why a task is not running. */

export function makeBlocker(change: Partial<Blocker> = {}): Blocker {
  return { code: 'tasks', words: 'It waits for a to end.', since: null, until: null, links: [], remedy: '', ...change };
}

export function makeExplanation(task: Pick<TaskRun, 'state'>, ...blockers: Blocker[]): Explanation {
  return { state: task.state, words: blockers[0]?.words ?? 'Nothing is in its way: it goes on in a moment.', blockers };
}

/** A task of the world as the server would explain it: by the tasks of its run that come before it in the list. */
function explanationOf(world: World, id: string): Explanation {
  const [run, tasks] = found(Object.entries(world.tasks).find(([, each]) => each.some((task) => task.id === id)));
  const task = found(tasks.find((each) => each.id === id));
  const before = tasks.slice(0, tasks.indexOf(task)).filter((each) => ['running', 'ready', 'retry_wait', 'awaiting_approval'].includes(each.state));
  if (task.state === 'retry_wait') return makeExplanation(task, retryOf(task));
  if (task.state !== 'pending' || before.length === 0) return makeExplanation(task);
  const words = `It waits for ${before.map((each) => `${each.key} (${each.state})`).join(' and ')} to end.`;
  const links = before.map((each) => ({ rel: 'upstream', href: `/runs/${run}?task=${encodeURIComponent(each.key)}`, name: each.key }));
  return makeExplanation(task, makeBlocker({ words, links, remedy: 'It is judged as soon as they have ended.' }));
}

function retryOf(task: TaskRun): Blocker {
  return makeBlocker({
    code: 'retry',
    words: 'It waits before it is tried again, as attempt 1 ended: temporary failure.',
    until: task.next_attempt_at,
    remedy: 'Try it now, if what made it fail has passed.',
  });
}

export const EXPLAIN_ROUTES: [string, RegExp, Handler][] = [
  ['GET', /^\/api\/v1\/task-runs\/([^/]+)\/explain\/$/, (world, [id = '']) => world.explanations[id] ?? explanationOf(world, id)],
];
