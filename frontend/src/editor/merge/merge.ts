import { read } from '../document/read';
import { applyChanges } from '../document/splice/change';
import { Refused, type Json, type JsonMap, type Layout, type Model } from '../types';
import type { Content } from '../safety';
import { mergeLines } from './lines';
import { changesOf, equal, mergeValues, textOf, type Change, type Choose, type Clash, type Side, type Value } from './values';

/*
 * Two people's changes of one draft, joined by task and parameter. Texts are joined line by line as far as that goes, so that
 * comments stay; what is then still missing is written into the text place by place. Pure.
 */

export interface Merged extends Content {
  /** What the other person changed, by place. */
  theirs: readonly Change[];
  /** Places that both changed differently. One with an empty path is the whole text, when a text cannot be read. */
  clashes: readonly Clash[];
  /** What was chosen at each of them. */
  choices: readonly Side[];
}

/** Joins what `mine` and `theirs` made of `base`. At each clash stands what is chosen, mine unless told otherwise. */
export function merge(base: Content, mine: Content, theirs: Content, choose: Choose = () => 'mine'): Merged {
  const text = mergeTexts(base.text, mine.text, theirs.text, choose);
  const choices = text.clashes.map(choose);
  return { ...text, choices, layout: mergeLayouts(base.layout, mine.layout, theirs.layout, choose) };
}

/**
 * What a state of the history becomes when `theirs` is joined: what was decided at a clash holds for it too, and where
 * nothing was decided theirs stands, for it is saved.
 */
export function rebased(base: Content, state: Content, theirs: Content, { clashes, choices }: Merged): Content {
  const decided = new Map(clashes.map(({ path }, at) => [path.join('\n'), choices[at]]));
  const { text, layout } = merge(base, state, theirs, ({ path }) => decided.get(path.join('\n')) ?? 'theirs');
  return { text, layout };
}

type MergedText = Omit<Merged, 'layout' | 'choices'>;

function mergeTexts(base: string, mine: string, theirs: string, choose: Choose): MergedText {
  const values = [base, mine, theirs].map(valueOf);
  const [old, ours, others] = values;
  if (mine === theirs || theirs === base) return { text: mine, theirs: [], clashes: [] };
  if (mine === base) return { text: theirs, theirs: changesOf(old ?? {}, others ?? {}), clashes: [] };
  if (old && ours && others) {
    const merged = mergeValues(old, ours, others, choose);
    const text = written(merged.value, mergeLines(base, mine, theirs)) ?? written(merged.value, mine);
    if (text !== null) return { text, theirs: changesOf(old, others), clashes: merged.clashes };
  }
  const clash: Clash = { path: [], base, mine, theirs };
  return { text: choose(clash) === 'mine' ? mine : theirs, theirs: [], clashes: [clash] };
}

/** A text changed to say `value`; null when it cannot be made to. */
function written(value: Value, text: string): string | null {
  const now = valueOf(text);
  if (!now) return null;
  const next = attempt(text, changesOf(now, value));
  return next !== null && equal(valueOf(next) ?? undefined, value) ? next : null;
}

function attempt(text: string, changes: readonly Change[]): string | null {
  try {
    return applyChanges(
      text,
      changes.map(({ path, to }) => (to === undefined ? { path, remove: true } : { path, set: to })),
    );
  } catch (problem) {
    if (problem instanceof Refused) return null;
    throw problem;
  }
}

/** The whole document as plain values; null when the text cannot be read. */
export function valueOf(text: string): JsonMap | null {
  const { model, problems } = read(text);
  return model && problems.length === 0 ? documentOf(model) : null;
}

function documentOf({ head, tasks }: Model): JsonMap {
  const inner = new Map<string | null, JsonMap>([[null, {}]]);
  const value: JsonMap = { ...head };
  for (const task of tasks.values()) {
    const entry: JsonMap = { ...task.raw };
    const scope = inner.get(task.parent);
    if (scope) scope[task.name] = entry;
    if (!task.scope) continue;
    const held: JsonMap = {};
    inner.set(task.key, held);
    entry.tasks = held;
  }
  value.tasks = inner.get(null) ?? {};
  return value;
}

/** Spots and notes one by one; of one that both moved, what is chosen stands. Theirs itself when mine adds nothing. */
function mergeLayouts(base: Layout, mine: Layout, theirs: Layout, choose: Choose): Layout {
  // A note that was removed here and written on there is kept.
  const keep: Choose = (clash) => (clash.path[0] === 'notes' && clash.mine === undefined ? 'theirs' : choose(clash));
  const { value, clashes } = mergeValues(plain(base), plain(mine), plain(theirs), keep);
  const joined = withBothTexts(value as unknown as Layout, clashes.filter((clash) => choose(clash) === 'mine'));
  return equal(plain(joined), plain(theirs)) ? theirs : joined;
}

/** What both wrote on one note stands there one below the other: nobody is asked about it, so nothing is left out. */
function withBothTexts(layout: Layout, clashes: readonly Clash[]): Layout {
  const notes = { ...layout.notes };
  for (const { path, mine, theirs } of clashes) {
    const [part, id = '', field] = path;
    const note = notes[id];
    if (part === 'notes' && field === 'text' && note) notes[id] = { ...note, text: `${textOf(mine)}\n\n${textOf(theirs)}` };
  }
  return { ...layout, notes };
}

const plain = (layout: Layout) => layout as unknown as Json;

/** A place in words: "train › with.eta", "parameters.epochs". */
export function placeWords(path: readonly string[]): string {
  const names: string[] = [];
  let rest = path;
  while (rest[0] === 'tasks' && rest.length > 1) {
    names.push(rest[1] ?? '');
    rest = rest.slice(2);
  }
  return [names.join('/'), rest.join('.')].filter(Boolean).join(' › ') || 'the whole text';
}
