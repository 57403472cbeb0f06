import { useEffect, useRef, useSyncExternalStore } from 'react';

export type LiveKind = 'run' | 'pipeline' | 'fleet';

/** Messages carry ids and numbers only; whoever hears one fetches what it shows. */
export type LiveMessage =
  | { type: 'subscribed'; kind: LiveKind; id: string; seq: number | null }
  | { type: 'run'; id: string; seq: number; pipeline: string; state: string }
  | { type: 'log'; run: string; attempt: string; lines: number }
  | { type: 'batch'; messages: LiveMessage[] }
  | { type: 'error'; code: string; message: string };

export type LiveListener = (message: LiveMessage) => void;

/** idle: nothing on this page is live · connecting: first try · open · reconnecting: was open, or failed */
export type LiveStatus = 'idle' | 'connecting' | 'open' | 'reconnecting';

interface SocketLike {
  readyState: number;
  onopen: (() => void) | null;
  onclose: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  send(text: string): void;
  close(): void;
}

export interface LiveOptions {
  open: () => SocketLike;
  random?: () => number;
}

const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 15_000;
/** A socket without subscriptions outlives a change of page by this much. */
const LINGER_MS = 3_000;

/** Delay before try number `failures` (1: the first after a loss): exponential, bounded, half of it random. */
export function reconnectDelay(failures: number, random: number): number {
  const bound = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.max(0, failures - 1));
  return bound / 2 + (bound / 2) * random;
}

/** One socket; any number of subscriptions, sent again after every reconnect. */
export class Live {
  #options: LiveOptions;
  #socket: SocketLike | null = null;
  #listeners = new Map<string, Set<LiveListener>>();
  #status: LiveStatus = 'idle';
  #watchers = new Set<() => void>();
  #failures = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #linger: ReturnType<typeof setTimeout> | null = null;

  constructor(options: LiveOptions) {
    this.#options = options;
  }

  get status(): LiveStatus {
    return this.#status;
  }

  watch = (watcher: () => void): (() => void) => {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  };

  subscribe(kind: LiveKind, id: string, listener: LiveListener): () => void {
    const key = `${kind}:${id}`;
    const known = this.#listeners.get(key);
    if (known) known.add(listener);
    else {
      this.#listeners.set(key, new Set([listener]));
      this.#say('subscribe', key);
    }
    this.#wake();
    return () => this.#leave(key, listener);
  }

  /** The network is back, or the page is looked at again: do not sit out the delay. */
  hurry = (): void => {
    if (this.#timer === null) return;
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#connect();
  };

  #leave(key: string, listener: LiveListener): void {
    const known = this.#listeners.get(key);
    if (!known?.delete(listener) || known.size > 0) return;
    this.#listeners.delete(key);
    this.#say('unsubscribe', key);
    if (this.#listeners.size === 0) this.#linger = setTimeout(() => this.#rest(), LINGER_MS);
  }

  #wake(): void {
    if (this.#linger !== null) clearTimeout(this.#linger);
    this.#linger = null;
    if (this.#socket === null && this.#timer === null) this.#connect();
  }

  /** Ends the connection at once, whatever is subscribed. */
  close(): void {
    this.#listeners.clear();
    this.#rest();
  }

  #rest(): void {
    if (this.#linger !== null) clearTimeout(this.#linger);
    this.#linger = null;
    if (this.#listeners.size > 0) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
    this.#failures = 0;
    this.#move('idle');
  }

  #connect(): void {
    this.#move(this.#failures === 0 ? 'connecting' : 'reconnecting');
    const socket = this.#options.open();
    this.#socket = socket;
    socket.onopen = () => {
      if (socket !== this.#socket) return;
      this.#failures = 0;
      this.#move('open');
      for (const key of this.#listeners.keys()) this.#say('subscribe', key);
    };
    socket.onmessage = (event) => socket === this.#socket && this.#hear(event.data);
    socket.onclose = () => socket === this.#socket && this.#lost();
  }

  #lost(): void {
    this.#socket = null;
    this.#failures += 1;
    this.#move('reconnecting');
    const delay = reconnectDelay(this.#failures, (this.#options.random ?? Math.random)());
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#connect();
    }, delay);
  }

  #say(verb: 'subscribe' | 'unsubscribe', key: string): void {
    if (this.#status !== 'open') return;
    const [kind, ...id] = key.split(':');
    this.#socket?.send(JSON.stringify({ verb, kind, id: id.join(':') }));
  }

  #hear(data: unknown): void {
    const message = parse(data);
    if (message) this.#pass(message);
  }

  #pass(message: LiveMessage): void {
    if (message.type === 'batch') for (const one of message.messages) this.#pass(one);
    for (const key of keysOf(message)) {
      for (const listener of this.#listeners.get(key) ?? []) listener(message);
    }
  }

  #move(status: LiveStatus): void {
    if (status === this.#status) return;
    this.#status = status;
    for (const watcher of this.#watchers) watcher();
  }
}

function parse(data: unknown): LiveMessage | null {
  try {
    const message = JSON.parse(String(data)) as LiveMessage | null;
    return message && typeof message === 'object' && typeof message.type === 'string' ? message : null;
  } catch {
    console.warn('The live socket sent something that is not JSON.');
    return null;
  }
}

function keysOf(message: LiveMessage): string[] {
  switch (message.type) {
    case 'subscribed':
      return [`${message.kind}:${message.id}`];
    case 'run':
      return [`run:${message.id}`, `pipeline:${message.pipeline}`, 'fleet:*'];
    case 'log':
      return [`run:${message.run}`];
    case 'error':
      console.warn(`Live: ${message.code}: ${message.message}`);
      return [];
    default:
      return [];
  }
}

function openSocket(): SocketLike {
  const address = new URL('/ws/live/', window.location.href);
  address.protocol = address.protocol === 'https:' ? 'wss:' : 'ws:';
  return new WebSocket(address) as unknown as SocketLike;
}

let shared: Live | null = null;

/** The one socket of this page. */
export function live(): Live {
  if (!shared) {
    shared = new Live({ open: openSocket });
    const { hurry } = shared;
    window.addEventListener('online', hurry);
    document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && hurry());
  }
  return shared;
}

export function useLiveStatus(): LiveStatus {
  return useSyncExternalStore(live().watch, () => live().status);
}

/** Hears what is said about one run or pipeline, or about everything (`fleet`, `*`). A null id hears nothing. */
export function useLive(kind: LiveKind, id: string | null, listener: LiveListener): void {
  const latest = useRef(listener);
  useEffect(() => {
    latest.current = listener;
  });
  useEffect(() => {
    if (id === null) return undefined;
    return live().subscribe(kind, id, (message) => latest.current(message));
  }, [kind, id]);
}
