import { createStore, type StoreApi } from 'zustand/vanilla';
import { getDraft, publishDraft, putDraft } from '../api/drafts';
import { newKey } from '../api/newKey';
import { Problem, sentenceOf } from '../api/problem';
import type { Draft, Person, PublishedVersion } from '../api/types';
import { merge, rebased, type Merged } from './merge/merge';
import { equal, type Choose } from './merge/values';
import { dropCopy, keepCopy, type Content, type SafetyCopy } from './safety';
import { readLayout, storedLayout } from './storedLayout';
import type { EditorStore } from './store';

/**
 * saved: the server has it · saving: it is on its way, or will be after a pause · offline: no answer, tried again by itself ·
 * refused: the server says no, and only another change helps; none does where the draft is `gone` · conflict: somebody saved meanwhile, and a person must choose
 */
export type SaveState =
  | { is: 'saved' }
  | { is: 'saving' }
  | { is: 'offline'; changes: number; why: string }
  | { is: 'refused'; why: string; gone: boolean }
  | { is: 'conflict'; theirs: Draft; merged: Merged };

/** What was joined with the changes of somebody else, for the notice and the list of what was not taken. */
export interface Joined {
  id: number;
  /** Null when the draft does not say. */
  who: Person | null;
  merged: Merged;
}

export interface SaveInfo {
  state: SaveState;
  /** Whether this browser has a copy of what is not saved: it may have no room. */
  kept: boolean;
  etag: string;
  joined: readonly Joined[];
}

export interface SaveParts {
  put: typeof putDraft;
  get: typeof getDraft;
  publish: typeof publishDraft;
}

export interface Saver {
  info: StoreApi<SaveInfo>;
  /** Begins to save; returns what ends it. */
  start: () => () => void;
  /** Whether anything is not on the server yet. */
  pending: () => boolean;
  /** Saves now and waits for the end. Throws a sentence when it cannot be saved. */
  flush: () => Promise<void>;
  /** Freezes what is here as a version: saves first, and takes in what somebody saved meanwhile instead of publishing it unseen. */
  publish: (message: string, activate: boolean) => Promise<PublishedVersion>;
  /** Ends a conflict: what stands at each clash, and which text when they could not be joined. */
  resolve: (choose: Choose) => void;
  /**
   * Takes the text of a copy as unsaved changes on the draft that it was made from, once no request is on its way. The copy is
   * gone then, as this editor keeps its own.
   */
  restore: (copy: SafetyCopy) => Promise<void>;
}

/** Milliseconds without a change before it is saved; and how long changes may follow each other until it is saved anyway. */
export const PAUSE = 800;
const LONGEST = 8000;
const FIRST_RETRY = 1000;
const LONGEST_RETRY = 30_000;

const REAL: SaveParts = { put: putDraft, get: getDraft, publish: publishDraft };

type Base = Content & { etag: string };

/**
 * Autosave of one draft: one request at a time, each with the ETag of the draft that it was made on. `shelf`: where copies of
 * what is not saved are kept.
 */
export function createSaver(store: EditorStore, draft: Draft, shelf: string, parts: SaveParts = REAL): Saver {
  const { address } = store.getState();
  const id = newKey();
  const info = createStore<SaveInfo>(() => ({ state: { is: 'saved' }, kept: false, etag: draft.etag, joined: [] }));
  let base: Base = baseOf(store, draft);
  let timer: ReturnType<typeof setTimeout> | undefined;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let since: number | null = null;
  let flight: Promise<void> | null = null;
  let failures = 0;
  let changes = 0;
  let ended = false;
  /** What was sent and not answered: any of it may have been saved. */
  let unanswered: Content[] = [];

  const here = (): Content => {
    const { text, layout } = store.getState().doc;
    return { text, layout };
  };
  const pending = () => {
    const { text, layout } = store.getState().doc;
    return text !== base.text || layout !== base.layout;
  };
  const say = (state: SaveState) => info.setState({ state });
  const stands = () => info.getState().state.is;

  function wait(): void {
    clearTimeout(timer);
    if (!pending()) return;
    since ??= Date.now();
    if (stands() === 'saved' || stands() === 'refused') say({ is: 'saving' });
    timer = setTimeout(due, Math.max(0, Math.min(PAUSE, since + LONGEST - Date.now())));
  }

  function due(): void {
    since = null;
    keep();
    if (stands() !== 'offline' && stands() !== 'conflict') void save();
  }

  function keep(): void {
    if (!pending()) return;
    const { etag, ...content } = base;
    info.setState({ kept: keepCopy(shelf, { id, ...here(), base: content, etag, at: Date.now() }) });
  }

  /** One request at a time; whoever asks meanwhile waits for the same one. */
  function save(): Promise<void> {
    clearTimeout(timer);
    clearTimeout(retry);
    flight ??= saveOnce().finally(() => {
      flight = null;
      if (stands() === 'saving') wait();
    });
    return flight;
  }

  async function saveOnce(): Promise<void> {
    if (!pending()) {
      settle();
      return;
    }
    const sent = here();
    if (stands() !== 'offline') say({ is: 'saving' });
    try {
      const { etag } = await parts.put(address, sent.text, storedLayout(sent.layout), base.etag);
      move({ ...sent, etag });
      settle();
    } catch (problem) {
      if (problem instanceof Problem && problem.status === 412) await meet();
      else fail(problem, sent);
    }
  }

  /** The server has what `next` says. */
  function move(next: Base): void {
    base = next;
    unanswered = [];
    info.setState({ etag: next.etag });
  }

  function settle(): void {
    failures = 0;
    changes = 0;
    if (!pending()) dropCopy(shelf, id);
    say({ is: pending() ? 'saving' : 'saved' });
  }

  function fail(problem: unknown, sent?: Content): void {
    keep();
    if (!isPassing(problem)) {
      say({ is: 'refused', why: sentenceOf(problem), gone: isGone(problem) });
      return;
    }
    failures += 1;
    if (sent && !unanswered.some((each) => same(each, sent))) unanswered.push(sent);
    say({ is: 'offline', changes: Math.max(1, changes), why: sentenceOf(problem) });
    if (!ended) retry = setTimeout(() => void save(), Math.min(LONGEST_RETRY, FIRST_RETRY * 2 ** (failures - 1)));
  }

  /** Somebody saved meanwhile: joins both, and asks where both changed the same. */
  async function meet(): Promise<void> {
    let theirs: Draft;
    try {
      theirs = await parts.get(address);
    } catch (problem) {
      fail(problem);
      return;
    }
    const content = contentOf(theirs);
    const ours = unanswered.find((sent) => same(sent, content));
    if (ours) {
      move({ ...ours, etag: theirs.etag });
      settle();
      return;
    }
    const merged = merge(base, here(), content);
    if (merged.clashes.length === 0) take(theirs, content, merged);
    else say({ is: 'conflict', theirs, merged });
    keep();
  }

  function take(theirs: Draft, content: Content, merged: Merged): void {
    const [old, mine] = [base, here()];
    move({ ...content, etag: theirs.etag });
    const name = theirs.saved_by?.name ?? theirs.saved_by?.username;
    info.setState(({ joined }) => ({ joined: [...joined, { id: joined.length, who: theirs.saved_by, merged }] }));
    store.getState().join({
      label: name === undefined ? 'Take in the other changes' : `Take in the changes of ${name}`,
      content: { text: merged.text, layout: merged.layout },
      before: merged.choices.includes('theirs') ? merge(old, mine, content) : null,
      rebase: (state) => rebased(old, state, content, merged),
    });
    settle();
  }

  function resolve(choose: Choose): void {
    const { state } = info.getState();
    if (state.is !== 'conflict') return;
    const content = contentOf(state.theirs);
    take(state.theirs, content, merge(base, here(), content, choose));
    void save();
  }

  async function restore(copy: SafetyCopy): Promise<void> {
    // The answer to a request on its way would be taken for one about the copy.
    await flight;
    base = { ...copy.base, etag: copy.etag };
    info.setState({ etag: copy.etag });
    store.getState().transact('Restore unsaved changes', () => ({ text: copy.text, layout: copy.layout }));
    keep();
    dropCopy(shelf, copy.id);
    void save();
  }

  async function flush(): Promise<void> {
    keep();
    while (pending() || flight) {
      await save();
      const { state } = info.getState();
      if (state.is === 'offline' || state.is === 'refused') throw new Error(state.why);
      if (state.is === 'conflict') throw new Error('Somebody else changed the same: choose first what stays.');
    }
  }

  async function publish(message: string, activate: boolean): Promise<PublishedVersion> {
    await flush();
    try {
      return await parts.publish(address, message, activate, base.etag);
    } catch (problem) {
      if (!(problem instanceof Problem) || problem.status !== 412) throw problem;
      await meet();
      throw new Error('Somebody else saved meanwhile, so nothing was published: look at what came in, then publish again.');
    }
  }

  function start(): () => void {
    ended = false;
    const unsubscribe = store.subscribe(({ doc, history }, before) => {
      if (doc === before.doc) return;
      if (history.past !== before.history.past) changes += 1;
      if (stands() === 'offline') say({ is: 'offline', changes, why: whyOf(info) });
      wait();
      if (!pending() && flight === null && stands() === 'saving') settle();
    });
    const hurry = () => void (stands() === 'offline' && save());
    window.addEventListener('online', hurry);
    window.addEventListener('pagehide', keep);
    return () => {
      keep();
      ended = true;
      clearTimeout(timer);
      clearTimeout(retry);
      unsubscribe();
      window.removeEventListener('online', hurry);
      window.removeEventListener('pagehide', keep);
    };
  }

  return { info, start, pending, flush, publish, resolve, restore };
}

function baseOf(store: EditorStore, draft: Draft): Base {
  const { text, layout } = store.getState().doc;
  return { text, layout, etag: draft.etag };
}

function contentOf(draft: Draft): Content {
  return { text: draft.document, layout: readLayout(draft.layout) };
}

/** Whatever the order of keys, which the server does not keep. */
function same(one: Content, other: Content): boolean {
  return one.text === other.text && equal(storedLayout(one.layout), storedLayout(other.layout));
}

function whyOf(info: StoreApi<SaveInfo>): string {
  const { state } = info.getState();
  return state.is === 'offline' ? state.why : '';
}

/** The pipeline has been archived, or its name means another one by now. */
function isGone(problem: unknown): boolean {
  return problem instanceof Problem && (problem.status === 404 || problem.status === 409);
}

/** Trouble that goes by: no answer, too many requests, or the server's own. */
function isPassing(problem: unknown): boolean {
  return !(problem instanceof Problem) || problem.status === 0 || problem.status === 429 || problem.status >= 500;
}
