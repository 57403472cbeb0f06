import { createContext, use } from 'react';
import { createStore, useStore, type StoreApi } from 'zustand';
import { read } from './document/read';
import { emptyHistory, mapped, record, stepBack, stepForward, type History } from './history';
import { settled } from './places';
import type { Content } from './safety';
import { Refused, type Catalogue, type Doc, type Edit, type Judged, type Layout, type Model } from './types';

export type View = 'canvas' | 'split' | 'yaml';

/** What undo brings back: never the selection, the camera or what a person looks at. */
export type Version = Pick<Doc, 'text' | 'layout' | 'model' | 'broken'>;

export interface TransactOptions {
  /** Changes with the same mark, soon after each other, are one entry: typing into one field. */
  mark?: string;
}

/** The document joined with what somebody else saved meanwhile. */
export interface Join {
  readonly label: string;
  readonly content: Content;
  /** What undo brings, if the join took something away here; null when it only added to what is here. */
  readonly before: Content | null;
  /** Any state of before the join, with the changes of the other person. */
  readonly rebase: (state: Content) => Content;
}

export interface EditorState {
  /** `team:name`. */
  address: string;
  readOnly: boolean;
  doc: Doc;
  history: History<Version>;
  /** Keys of tasks, ids of links and of notes. */
  selection: ReadonlySet<string>;
  /** Scopes that are drawn folded. */
  folded: ReadonlySet<string>;
  view: View;
  catalogue: Catalogue;
  /** What the server said last, perhaps of an older text. */
  judged: Judged | null;
  /** The last thing said to screen readers; `no` tells repeated sentences apart. */
  said: { text: string; no: number };
  /** Why the last gesture was refused, for everybody to see; null when it was not. */
  refusal: string | null;

  /**
   * The only way to change the document: makes the history entry, announces the label, and everything that follows from
   * a change (problems, autosave) hangs on `doc`. False when `change` refused or changed nothing.
   */
  transact: (label: string, change: (doc: Doc) => Edit | null, options?: TransactOptions) => boolean;
  /**
   * Takes in what somebody else saved, also while nothing may be changed here. Their changes come into the whole history:
   * undo takes back what was done here and never the work of others.
   */
  join: (join: Join) => void;
  undo: () => void;
  redo: () => void;
  select: (ids: Iterable<string>) => void;
  fold: (key: string, folded: boolean) => void;
  setView: (view: View) => void;
  setCatalogue: (catalogue: Catalogue) => void;
  setJudged: (judged: Judged) => void;
  /** Replaces the document by one from the server, with an empty history. */
  load: (text: string, layout: Layout, readOnly?: boolean) => void;
  say: (text: string) => void;
  refuse: (why: string) => void;
  dismiss: () => void;
}

export type EditorStore = StoreApi<EditorState>;

export const EMPTY_LAYOUT: Layout = { tasks: {}, notes: {} };
export const EMPTY_CATALOGUE: Catalogue = {
  kinds: new Map(),
  common: {},
  work: {},
  blocks: new Map(),
  locations: [],
  queues: [],
  secrets: [],
  endpoints: [],
  members: [],
};
const EMPTY_MODEL: Model = {
  name: '',
  title: '',
  parameters: {},
  location: null,
  head: {},
  tasks: new Map(),
  links: [],
};

/** A document of a text; what cannot be read keeps the model it had. */
export function docOf(text: string, layout: Layout, last: Model = EMPTY_MODEL): Doc {
  const { model, problems } = read(text);
  return { text, layout, model: model ?? last, broken: model === null ? problems : [] };
}

export function makeEditor(address: string, text: string, layout: Layout = EMPTY_LAYOUT): EditorStore {
  return createStore<EditorState>((set, get) => {
    const say = (sentence: string) => set(({ said }) => ({ said: { text: sentence, no: said.no + 1 } }));
    const step = (to: typeof stepBack<Version>, word: string) => {
      const { doc, history, readOnly } = get();
      const step = readOnly ? null : to(history, doc);
      if (!step) {
        say(`Nothing to ${word.toLowerCase()}.`);
        return;
      }
      set(({ selection }) => ({
        doc: step.state,
        history: step.history,
        selection: living(selection, step.state),
        refusal: null,
      }));
      say(`${word}: ${step.label}`);
    };
    return {
      address,
      readOnly: false,
      doc: docOf(text, layout),
      history: emptyHistory(),
      selection: new Set(),
      folded: new Set(),
      view: 'canvas',
      catalogue: EMPTY_CATALOGUE,
      judged: null,
      said: { text: '', no: 0 },
      refusal: null,

      transact(label, change, { mark } = {}) {
        const { doc: shown, history, readOnly, selection } = get();
        if (readOnly) {
          get().refuse('This pipeline is shown for reading only.');
          return false;
        }
        // What is drawn where nobody put it stays there from the first change on.
        const doc = { ...shown, layout: settled(shown) };
        const edit = attempt(() => change(doc), get().refuse);
        if (edit === null) return false;
        const next = applied(doc, edit);
        if (next === doc) {
          if (edit.select) set({ selection: new Set(edit.select) });
          return false;
        }
        const noted = record(history, label, doc, mark ?? null, Date.now());
        set({
          doc: next,
          history: noted,
          selection: edit.select ? new Set(edit.select) : living(selection, next),
          refusal: null,
        });
        // Typing is announced where it begins, not at every letter.
        if (noted.past !== history.past) say(label);
        return true;
      },
      join({ label, content, before, rebase }) {
        const { doc, history, selection } = get();
        const next = applied(doc, content);
        const theirs = mapped(history, (state) => applied(state, rebase(state)));
        const noted = before === null ? theirs : record(theirs, label, applied(doc, before), null, Date.now());
        set({ doc: next, history: noted, selection: living(selection, next), refusal: null });
        say(label);
      },
      undo: () => step(stepBack, 'Undone'),
      redo: () => step(stepForward, 'Redone'),
      select: (ids) => set({ selection: new Set(ids) }),
      fold: (key, folded) => set((state) => ({ folded: folded ? with_(state.folded, key) : without(state.folded, key) })),
      setView: (view) => set({ view }),
      setCatalogue: (catalogue) => set({ catalogue }),
      setJudged: (judged) => set({ judged }),
      load: (text, layout, readOnly = false) =>
        set({ doc: docOf(text, layout), history: emptyHistory(), selection: new Set(), readOnly, judged: null, refusal: null }),
      say,
      refuse: (why) => {
        set({ refusal: why });
        say(why);
      },
      dismiss: () => set({ refusal: null }),
    };
  });
}

/** The edit, or null when the operation refused, which is told. */
function attempt(change: () => Edit | null, refuse: (why: string) => void): Edit | null {
  try {
    return change();
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    refuse(error.message);
    return null;
  }
}

/** The document after an edit; the same object when nothing changed. */
function applied(doc: Doc, { text = doc.text, layout = doc.layout }: Edit): Doc {
  if (text === doc.text) return layout === doc.layout ? doc : { ...doc, layout };
  return docOf(text, layout, doc.model);
}

function living(selection: ReadonlySet<string>, { model, layout }: Version): ReadonlySet<string> {
  const links = new Set(model.links.map((link) => link.id));
  const gone = [...selection].filter((id) => !model.tasks.has(id) && !links.has(id) && !(id in layout.notes));
  return gone.length === 0 ? selection : new Set([...selection].filter((id) => !gone.includes(id)));
}

function with_(set: ReadonlySet<string>, key: string): ReadonlySet<string> {
  return new Set(set).add(key);
}

function without(set: ReadonlySet<string>, key: string): ReadonlySet<string> {
  return new Set([...set].filter((other) => other !== key));
}

export const EditorContext = createContext<EditorStore | null>(null);

/** The store of the editor around a component. */
export function useEditorStore(): EditorStore {
  const store = use(EditorContext);
  if (!store) throw new Error('A part of the editor is drawn inside of an EditorContext.');
  return store;
}

/** A part of the editor's state; what is selected must be equal when nothing of it changed. */
export function useEditor<T>(select: (state: EditorState) => T): T {
  return useStore(useEditorStore(), select);
}
