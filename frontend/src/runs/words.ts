import type { Attempt, Cause, ReusedFrom, TaskRun } from '../api/types';
import { formatDuration } from '../ui/format';
import { lookOf } from '../ui/states';

/** Reasons as half sentences, to be said after the task's name. */
const REASONS: Record<string, string> = {
  error: 'its code raised an error',
  exit: 'its process ended with a code other than 0',
  timeout: 'it ran longer than its timeout',
  oom: 'it ran out of memory',
  infrastructure: 'the machinery around it failed',
  transient: 'it hit an error that is expected to pass',
  validation: 'what it produced is not what it declared',
  lease: 'its worker was lost',
  drained: 'its worker was stopped before it ended',
  reused: 'an equal earlier result was reused',
  condition_false: 'its condition was not met',
  condition_error: 'its condition could not be computed',
  upstream: 'a task before it did not succeed',
  deadline: 'nobody decided before the deadline',
  poison: 'it was lost three times and will not be tried again',
  by_person: 'a person decided so',
  overlap: 'a newer run of the pipeline took its place',
};

/** Why a task is in its state, as the server says it, else what its reason means; empty when nothing is to be said. */
export function whyEnded(task: TaskRun): string {
  if (task.reused_from) return reusedWords(task.reused_from);
  return task.message || (task.reason ? reasonWords(task.reason) : '');
}

/** "Reused from run 12". */
export function reusedWords(source: Pick<ReusedFrom, 'number'>): string {
  return `Reused from run ${source.number}`;
}

export function reasonWords(reason: string): string {
  return REASONS[reason] ?? reason.replaceAll('_', ' ');
}

const SIGNALS: Record<number, string> = {
  2: 'interrupted',
  6: 'aborted',
  7: 'bus error',
  8: 'arithmetic error',
  9: 'killed',
  11: 'invalid memory access',
  15: 'asked to stop',
};

/** "1"; "137, killed" where a signal ended the process, whether a shell says so (137) or Python (-9). */
export function exitWords(code: number): string {
  const words = SIGNALS[code < 0 ? -code : code - 128];
  const shown = code < 0 ? 128 - code : code;
  return words ? `${shown}, ${words}` : `${shown}`;
}

/** "train failed, attempt 3". A task that ended without being tried has no attempt. */
export function causeHead(cause: Cause): string {
  return cause.attempt === null ? `${cause.task} failed` : `${cause.task} failed, attempt ${cause.attempt_no}`;
}

/** "train failed, attempt 3: out of memory": what the server says, else what the reason means. */
export function causeSentence(cause: Cause): string {
  return `${causeHead(cause)}: ${cause.message || reasonWords(cause.reason)}`;
}

/**
 * "attempt 2" once a task is tried again, for whatever reason: a retry, a lost worker or a resume. While it waits for its
 * next attempt: "after attempt 1". Nothing for a first attempt. "reused from run 12" where nothing had to be tried.
 */
export function attemptWords(task: TaskRun): string | undefined {
  if (task.reused_from) return `reused from run ${task.reused_from.number}`;
  const no = task.attempt?.no ?? 0;
  if (task.state === 'retry_wait' && no > 0) return `after attempt ${no}`;
  return no > 1 ? `attempt ${no}` : undefined;
}

/** Why some attempts do not count: "1 attempt: its worker was lost. It uses up no retry." */
export function lostWords(lost: number): string {
  return lost === 1
    ? '1 attempt: its worker was lost. It uses up no retry.'
    : `${lost} attempts: their workers were lost. They use up no retries.`;
}

const ISOLATION: Record<string, string> = {
  'shared user': 'against accidents, not against hostile code: not for teams that do not trust each other',
  'own user': 'a user of this team alone; may be offered to teams that do not trust each other',
  container: 'a user of this team alone in a container of its queue, with the Python and the packages of its image',
};

/** "own user: a user of this team alone; …": the level an attempt was isolated at, and what that gives. */
export function isolationWords(level: string): string {
  const gives = ISOLATION[level];
  return gives ? `${level}: ${gives}` : level;
}

/** What an attempt held: "2 × NVIDIA H100, licence"; empty for one that held nothing. */
export function slotWords(slots: Attempt['slots']): string {
  const counts = new Map<string, number>();
  for (const { kind, name } of slots) counts.set(name || kind, (counts.get(name || kind) ?? 0) + 1);
  return [...counts].map(([words, count]) => (count > 1 ? `${count} × ${words}` : words)).join(', ');
}

/** Milliseconds a task has taken so far, null before it began. */
export function takenMs(task: TaskRun, now: number): number | null {
  if (task.started_at === null) return null;
  const end = task.finished_at === null ? now : Date.parse(task.finished_at);
  return Math.max(0, end - Date.parse(task.started_at));
}

/** The whole card in words. */
export function cardLabel(task: TaskRun): string {
  const parts = [task.name, task.kind, lookOf(task.state).word];
  const attempt = attemptWords(task);
  if (attempt) parts.push(attempt);
  const taken = task.finished_at === null ? null : takenMs(task, 0);
  if (taken !== null) parts.push(`took ${formatDuration(taken)}`);
  if (task.queue) parts.push(`queue ${task.queue}`);
  const why = whyEnded(task);
  if (why && task.state !== 'succeeded') parts.push(why);
  return parts.join(', ');
}

export function approverWords(by: string[]): string {
  if (by.length === 0) return 'an approver';
  return listWords(by.map((each) => (each === 'approver' ? 'an approver of the team' : each)), 'or');
}

/** "a", "a and b", "a, b and 3 more". */
export function listWords(words: string[], and = 'and'): string {
  if (words.length <= 1) return words[0] ?? '';
  if (words.length <= 3) return `${words.slice(0, -1).join(', ')} ${and} ${words.at(-1) ?? ''}`;
  return `${words.slice(0, 2).join(', ')} ${and} ${words.length - 2} more`;
}

const TRIGGERS: Record<string, string> = {
  manual: 'started',
  api: 'started over the API',
  schedule: 'started on schedule',
  backfill: 'started to fill a range',
  webhook: 'started by a webhook',
  file: 'started by a file',
  artifact: 'started by new data',
  pipeline: 'started by another pipeline',
  model: 'started by a model',
  alert: 'started by an alert',
};

/** "started over the API"; "asked for over the API" of what has not begun. */
export function triggerWords(trigger: string, begun = true): string {
  const words = TRIGGERS[trigger] ?? trigger;
  return begun ? words : words.replace(/^started/, 'asked for');
}

export const PRIORITY_MEANS = 'Of the tasks that wait on a queue, those of a higher priority go first; each rises with the time it waits.';
