type Handler = ((event: { data: unknown }) => void) | null;

/** A socket whose other end is a test or the fake server. */
export class FakeSocket {
  static all: FakeSocket[] = [];
  static onOpen: (socket: FakeSocket) => void = () => undefined;
  readyState = 0;
  onopen: (() => void) | null = null;
  onclose: (() => void) | null = null;
  onmessage: Handler = null;
  sent: { verb: string; kind: string; id: string }[] = [];
  onSend: (message: { verb: string; kind: string; id: string }) => void = () => undefined;

  constructor() {
    FakeSocket.all.push(this);
    FakeSocket.onOpen(this);
  }

  static get last(): FakeSocket {
    const socket = FakeSocket.all.at(-1);
    if (!socket) throw new Error('No socket was opened.');
    return socket;
  }

  send(text: string): void {
    const message = JSON.parse(text) as FakeSocket['sent'][number];
    this.sent.push(message);
    this.onSend(message);
  }

  close(): void {
    this.readyState = 3;
  }

  /** The server accepts. */
  accept(): void {
    this.readyState = 1;
    this.onopen?.();
  }

  /** The connection breaks. */
  drop(): void {
    this.readyState = 3;
    this.onclose?.();
  }

  say(message: unknown): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }
}
