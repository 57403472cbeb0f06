/* Undo and redo by whole states: documents are immutable and share what did not change. Pure. */

export interface Entry<State> {
  readonly label: string;
  /** The state before the entry when undoing, after it when redoing. */
  readonly state: State;
}

export interface History<State> {
  readonly past: readonly Entry<State>[];
  readonly future: readonly Entry<State>[];
  /** Changes with the same mark as the last one, soon after it, belong to its entry. */
  readonly mark: { readonly name: string; readonly at: number } | null;
}

export const LONGEST = 200;
/** Milliseconds between two changes of one entry. */
const TOGETHER = 1000;

export function emptyHistory<State>(): History<State> {
  return { past: [], future: [], mark: null };
}

/** Notes a change away from `before`. `mark` groups typing and arrow keys; without one it is an entry of its own. */
export function record<State>(
  history: History<State>,
  label: string,
  before: State,
  mark: string | null,
  now: number,
): History<State> {
  const marked = mark === null ? null : { name: mark, at: now };
  if (mark !== null && history.mark?.name === mark && now - history.mark.at <= TOGETHER && history.past.length > 0) {
    return { past: history.past, future: [], mark: marked };
  }
  return { past: [...history.past, { label, state: before }].slice(-LONGEST), future: [], mark: marked };
}

export interface Step<State> {
  history: History<State>;
  state: State;
  label: string;
}

/** One entry back; null at the start. */
export function stepBack<State>({ past, future }: History<State>, now: State): Step<State> | null {
  const entry = past.at(-1);
  if (!entry) return null;
  const { label } = entry;
  return { history: { past: past.slice(0, -1), future: [...future, { label, state: now }], mark: null }, state: entry.state, label };
}

/** One entry forward; null at the end. */
export function stepForward<State>({ past, future }: History<State>, now: State): Step<State> | null {
  const entry = future.at(-1);
  if (!entry) return null;
  const { label } = entry;
  return { history: { past: [...past, { label, state: now }], future: future.slice(0, -1), mark: null }, state: entry.state, label };
}

/** Every state as `change` makes it, worked out when it is first needed: most are never asked for. */
export function mapped<State>({ past, future, mark }: History<State>, change: (state: State) => State): History<State> {
  const later = (entry: Entry<State>): Entry<State> => {
    let state: { made: State } | null = null;
    return {
      label: entry.label,
      get state() {
        state ??= { made: change(entry.state) };
        return state.made;
      },
    };
  };
  return { past: past.map(later), future: future.map(later), mark };
}
