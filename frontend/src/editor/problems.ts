import { judgedHere } from './here';
import { useEditor, type EditorState } from './store';
import type { Judged, Model, Problem, TaskModel } from './types';

/* What is wrong with a document: derived from it and from the server's last judgement, never stored. */

export interface Place {
  /** The task, null for the head of the document. */
  readonly key: string | null;
  /** Below the task, or in the head: `with.table`; empty for all of it. */
  readonly place: string;
}

export interface Counts {
  readonly errors: number;
  readonly warnings: number;
}

type Source = Pick<EditorState, 'doc' | 'judged' | 'catalogue'>;

const NONE: readonly Problem[] = [];

/**
 * Everything wrong with a document, by line. Of a text that cannot be read only why. The server's judgement holds for
 * what has not changed since; what has changed is judged here until the server answers.
 */
export const problemsOf = lastOf(
  ({ doc, judged, catalogue }: Source) => [doc.model, doc.broken, doc.text, judged, catalogue],
  (source: Source): readonly Problem[] => {
    const { doc, judged } = source;
    if (doc.broken.length > 0) return doc.broken;
    if (!judged) return NONE;
    if (judged.text === doc.text) return judged.problems;
    return [...stillTrue(judged, doc.text, doc.model), ...changedSince(judged, source)].sort(byLine);
  },
);

/** The task that a problem is of, or null: it is of the head. */
export function keyOf(problem: Problem, model: Model): string | null {
  return placeOf(problem, model).key;
}

/** Where a problem can be fixed. What is missing is fixed at the place where it belongs. */
export function placeOf(problem: Problem, model: Model): Place {
  const task = taskAt(problem, model);
  const below = task && problem.path.startsWith(task.path) ? problem.path.slice(task.path.length + 1) : problem.path;
  return { key: task?.key ?? null, place: joined(task && below === problem.path ? '' : below, missing(problem)) };
}

export function countsOf(problems: readonly Problem[]): Counts {
  const errors = problems.filter(({ severity }) => severity === 'error').length;
  return { errors, warnings: problems.length - errors };
}

/** All problems of the document, by line. */
export function useProblems(): readonly Problem[] {
  return useEditor(problemsOf);
}

/** The problems of one task, without those inside its scope; of the head for null. The same list while none of it changes. */
export function useProblemsOf(key: string | null): readonly Problem[] {
  return useEditor((state) => byTask(state).get(key) ?? NONE);
}

export function useProblemCounts(): Counts {
  return useEditor(countsIn);
}

// --- places ---------------------------------------------------------------------------------------------------

const pathsOf = lastOf(
  (model: Model) => [model],
  (model: Model) => new Map([...model.tasks.values()].map((task) => [task.path, task])),
);

/** The innermost task that the path names; where a path is empty, the one around the line. */
function taskAt({ path, line }: Problem, model: Model): TaskModel | null {
  if (path === '') return line > 0 ? around(line, model) : null;
  if (!path.startsWith('tasks.')) return null;
  const paths = pathsOf(model);
  for (let end = path.length; end > 0; end = path.lastIndexOf('.', end - 1)) {
    const task = paths.get(path.slice(0, end));
    if (task) return task;
  }
  return null;
}

/** The innermost task whose lines hold this one. */
export function around(line: number, model: Model): TaskModel | null {
  let found: TaskModel | null = null;
  for (const task of model.tasks.values()) if (task.line <= line && line <= task.lastLine) found = task;
  return found;
}

const ABSENT: Readonly<Record<string, string>> = { 'missing-input': 'with.', 'missing-key': '' };

function missing({ code, params }: Problem): string {
  const prefix = ABSENT[code];
  return prefix === undefined || typeof params.name !== 'string' ? '' : prefix + params.name;
}

function joined(...parts: string[]): string {
  return parts.filter(Boolean).join('.');
}

// --- an older judgement -----------------------------------------------------------------------------------------

/** The problems of what is written now as it was when the server judged it, at the lines where it stands now. */
function stillTrue(judged: Judged, text: string, model: Model): Problem[] {
  const then = judged.model;
  if (!then) return [];
  const lineNow = shiftOf(judged.text, text);
  return judged.problems
    .map((problem) => {
      const { key, place } = placeOf(problem, then);
      if (key === null) return sameHead(place, then, model) ? movedTo(problem, lineNow(problem.line)) : null;
      const [before, now] = [then.tasks.get(key), model.tasks.get(key)];
      if (!before || !now || !same(before.raw, now.raw)) return null;
      return movedTo(problem, Math.min(problem.line + now.line - before.line, now.lastLine));
    })
    .filter((problem) => problem !== null);
}

/** What is wrong with the tasks that were written or changed since the server judged, as far as it can be known here. */
function changedSince(judged: Judged, { doc: { model }, catalogue }: Source): Problem[] {
  const then = judged.model;
  if (!then) return [];
  const changed = [...model.tasks.values()].filter(({ key, raw }) => !same(then.tasks.get(key)?.raw, raw));
  return changed.flatMap((task) => judgedHere(task, { model, catalogue, judged }));
}

function byLine(one: Problem, other: Problem): number {
  return one.line - other.line;
}

function movedTo(problem: Problem, line: number): Problem {
  return line === problem.line || problem.line === 0 ? problem : { ...problem, line };
}

function sameHead(place: string, before: Model, now: Model): boolean {
  const key = place.split('.', 1)[0] ?? '';
  // The head is without the tasks: of them all, it matters which there are.
  if (key === 'tasks') return same([...before.tasks.keys()], [...now.tasks.keys()]);
  return same(before.head[key], now.head[key]);
}

function same(one: unknown, other: unknown): boolean {
  return one === other || JSON.stringify(one) === JSON.stringify(other);
}

/** Where a line of the old text stands in the new one, the lines before and behind a change being the same. */
function shiftOf(before: string, after: string): (line: number) => number {
  const [old, now] = [before.split('\n'), after.split('\n')];
  let first = 0;
  while (first < old.length && first < now.length && old[first] === now[first]) first++;
  const shift = now.length - old.length;
  return (line) => (line <= first ? line : Math.min(Math.max(line + shift, first + 1), now.length));
}

// --- by task ----------------------------------------------------------------------------------------------------

let lists: ReadonlyMap<string | null, readonly Problem[]> = new Map();

const byTask = lastOf(
  (state: Source) => [problemsOf(state), state.doc.model],
  (state: Source): ReadonlyMap<string | null, readonly Problem[]> => {
    const found = new Map<string | null, Problem[]>();
    for (const problem of problemsOf(state)) {
      const key = keyOf(problem, state.doc.model);
      const list = found.get(key);
      if (list) list.push(problem);
      else found.set(key, [problem]);
    }
    lists = new Map([...found].map(([key, list]) => [key, kept(lists.get(key), list)]));
    return lists;
  },
);

/** Of two equal lists the one that is shown already, so that a card is drawn again only when its own problems change. */
function kept(shown: readonly Problem[] | undefined, now: readonly Problem[]): readonly Problem[] {
  const equal = shown?.length === now.length && shown.every((problem, at) => same(problem, now[at]));
  return equal ? shown : now;
}

const countsIn = lastOf(
  (state: Source) => [problemsOf(state)],
  (state: Source) => countsOf(problemsOf(state)),
);

/** A function that remembers its last answer, for as long as what `parts` names is the same. */
function lastOf<From, To>(parts: (from: From) => readonly unknown[], make: (from: From) => To): (from: From) => To {
  let seen: readonly unknown[] | null = null;
  let answer: To;
  return (from) => {
    const now = parts(from);
    if (!seen?.every((part, at) => part === now[at])) {
      answer = make(from);
      seen = now;
    }
    return answer;
  };
}
