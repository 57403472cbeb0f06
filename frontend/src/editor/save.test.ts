import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Problem } from '../api/problem';
import type { Draft, JsonMap, PublishedVersion } from '../api/types';
import { budi, makeGraph, makeVersion } from '../testing/make';
import { copiesOf } from './safety';
import { createSaver, PAUSE, type Saver } from './save';
import { makeEditor, type EditorStore } from './store';

const BASE = `schema: orchestrator/v1
name: digits
tasks:
  train:
    kind: shell
    run: echo 1
    with: {eta: 0.1, depth: 3}
`;

/** A draft on a server that can go away, and that somebody else writes too. */
class Server {
  document = BASE;
  layout: JsonMap = {};
  revision = 1;
  saved_by: Draft['saved_by'] = null;
  puts: string[] = [];
  busy = 0;
  most = 0;
  problem: Problem | null = null;

  get draft(): Draft {
    const { document, layout, revision, saved_by } = this;
    return { document, layout, saved_by, etag: `"${revision}"`, problems: [], saved_at: null };
  }

  write(document: string, layout: JsonMap = this.layout, by: Draft['saved_by'] = budi): Draft {
    Object.assign(this, { document, layout, revision: this.revision + 1, saved_by: by });
    return this.draft;
  }

  put = async (_: string, document: string, layout: JsonMap, etag: string): Promise<Draft> => {
    this.puts.push(document);
    this.busy += 1;
    this.most = Math.max(this.most, this.busy);
    await new Promise((resolve) => setTimeout(resolve, 100));
    this.busy -= 1;
    if (this.problem) throw this.problem;
    if (etag !== this.draft.etag) throw new Problem({ status: 412, title: 'Somebody saved in between.' });
    return this.write(document, layout, null);
  };

  published: string[] = [];

  publish = (_: string, __: string, ___: boolean, etag: string): Promise<PublishedVersion> => {
    if (etag !== this.draft.etag) return Promise.reject(new Problem({ status: 412, title: 'Somebody saved in between.' }));
    this.published.push(this.document);
    return Promise.resolve({ ...makeVersion(makeGraph([])), created: true, problems: [] });
  };

  get = (): Promise<Draft> => (this.problem ? Promise.reject(this.problem) : Promise.resolve(this.draft));
}

let server: Server;
let store: EditorStore;
let saver: Saver;
let stop: () => void;

function begin(): void {
  store = makeEditor('demo:digits', server.document);
  saver = createSaver(store, server.draft, 'ana/demo:digits', server);
  stop = saver.start();
}

/** A person's change of the text. */
function write(change: (text: string) => string, label = 'Edit'): void {
  store.getState().transact(label, ({ text }) => ({ text: change(text) }));
}

const set = (from: string, to: string) => write((text) => text.replace(from, to));
const state = () => saver.info.getState().state;
const wait = (ms: number) => vi.advanceTimersByTimeAsync(ms);
const gone = new Problem({ status: 0, title: 'The server cannot be reached.' });

beforeEach(() => {
  vi.useFakeTimers();
  server = new Server();
  begin();
});

afterEach(() => {
  stop();
  vi.useRealTimers();
});

describe('a change', () => {
  it('is saved 800 ms after the last one, once', async () => {
    set('0.1', '0.2');
    expect(state().is).toBe('saving');
    await wait(PAUSE - 100);
    set('0.2', '0.25');
    await wait(PAUSE - 1);
    expect(server.puts).toEqual([]);
    await wait(200);
    expect(server.puts).toHaveLength(1);
    expect(server.document).toContain('eta: 0.25');
    expect(state().is).toBe('saved');
    expect(saver.info.getState().etag).toBe('"2"');
  });

  it('is saved all the same when a person does not stop changing', async () => {
    for (let at = 0; at < 30; at += 1) {
      write((text) => `${text}# ${at}\n`);
      await wait(500);
    }
    expect(server.puts.length).toBeGreaterThan(0);
  });

  it('that comes while another one is on its way waits for it', async () => {
    set('0.1', '0.2');
    await wait(PAUSE + 10);
    expect(server.busy).toBe(1);
    set('depth: 3', 'depth: 4');
    await wait(5000);
    expect(server.most).toBe(1);
    expect(server.puts).toHaveLength(2);
    expect(server.document).toContain('eta: 0.2, depth: 4');
    expect(state().is).toBe('saved');
  });

  it('that is undone before it was sent needs no request', async () => {
    set('0.1', '0.2');
    store.getState().undo();
    await wait(5000);
    expect(server.puts).toEqual([]);
    expect(state().is).toBe('saved');
  });

  it('of a position alone is saved too', async () => {
    store.getState().transact('Move', () => ({ layout: { tasks: { train: { x: 10, y: 20 } }, notes: {} } }));
    await wait(2000);
    expect(server.layout).toMatchObject({ tasks: { train: { x: 10, y: 20 } } });
  });

  it('is sent at once when somebody waits for it, as publishing does', async () => {
    set('0.1', '0.2');
    const saved = saver.flush();
    await wait(150);
    await saved;
    expect(server.document).toContain('eta: 0.2');
    expect(saver.pending()).toBe(false);
  });

  it('is saved too when the window becomes too narrow to draw in before it was sent', async () => {
    set('0.1', '0.2');
    store.setState({ readOnly: true });
    await wait(3000);
    expect(server.document).toContain('eta: 0.2');
    expect(state().is).toBe('saved');
  });

  it('of a document shown for reading only is none', async () => {
    store.setState({ readOnly: true });
    set('0.1', '0.2');
    await wait(3000);
    expect(server.puts).toEqual([]);
  });
});

describe('without the server', () => {
  it('changes are counted, kept in the browser and sent when it answers again', async () => {
    server.problem = gone;
    set('0.1', '0.2');
    await wait(PAUSE + 200);
    expect(state()).toMatchObject({ is: 'offline', changes: 1 });
    set('depth: 3', 'depth: 4');
    expect(state()).toMatchObject({ is: 'offline', changes: 2 });
    await wait(PAUSE);
    expect(copiesOf('ana/demo:digits')[0]?.text).toContain('eta: 0.2, depth: 4');
    server.problem = null;
    await wait(60_000);
    expect(state().is).toBe('saved');
    expect(server.document).toContain('eta: 0.2, depth: 4');
    expect(copiesOf('ana/demo:digits')).toEqual([]);
  });

  it('tries come ever less often, and at once when the network is back', async () => {
    server.problem = gone;
    set('0.1', '0.2');
    await wait(8_000);
    expect(server.puts).toHaveLength(3);
    server.problem = null;
    window.dispatchEvent(new Event('online'));
    await wait(200);
    expect(state().is).toBe('saved');
  });

  it('who waits for the save is told why it cannot be', async () => {
    server.problem = gone;
    set('0.1', '0.2');
    const saved = expect(saver.flush()).rejects.toThrow('cannot be reached');
    await wait(200);
    await saved;
  });

  it('a refusal stands until something changes', async () => {
    server.problem = new Problem({ status: 403, title: 'You may not do this.' });
    set('0.1', '0.2');
    await wait(60_000);
    expect(server.puts).toHaveLength(1);
    expect(state()).toMatchObject({ is: 'refused', why: 'You may not do this.', gone: false });
    server.problem = null;
    set('0.2', '0.3');
    await wait(2000);
    expect(state().is).toBe('saved');
  });

  it('is not tried again once the editor is left', async () => {
    set('0.1', '0.2');
    await wait(PAUSE + 10);
    server.problem = gone;
    stop();
    await wait(120_000);
    expect(server.puts).toHaveLength(1);
    expect(copiesOf('ana/demo:digits')).toHaveLength(1);
  });

  it('a lost answer to an older change is no change of somebody else either, whatever order the server keeps keys in', async () => {
    const tasks = { train: { x: 10, y: 20 } };
    store.getState().transact('Move', () => ({ layout: { tasks, notes: {} } }));
    set('0.1', '0.2');
    await wait(PAUSE + 10);
    server.problem = gone;
    server.write(store.getState().doc.text, { notes: {}, tasks: { train: { y: 20, x: 10 } } }, null);
    set('0.2', '0.25');
    await wait(100);
    server.problem = null;
    await wait(10_000);
    expect(state().is).toBe('saved');
    expect(server.document).toContain('eta: 0.25');
    expect(saver.info.getState().joined).toEqual([]);
  });

  it('it is said when the browser has no room for a copy', async () => {
    const full = vi.spyOn(Storage.prototype, 'setItem').mockImplementation(() => {
      throw new DOMException('full', 'QuotaExceededError');
    });
    server.problem = gone;
    set('0.1', '0.2');
    await wait(2000);
    expect(saver.info.getState().kept).toBe(false);
    full.mockRestore();
    set('0.2', '0.3');
    await wait(2000);
    expect(saver.info.getState().kept).toBe(true);
  });

  it('an answer that was lost on its way is no change of somebody else', async () => {
    set('0.1', '0.2');
    await wait(PAUSE + 10);
    server.problem = gone;
    server.write(store.getState().doc.text, { tasks: {}, notes: {} }, null);
    await wait(100);
    server.problem = null;
    await wait(10_000);
    expect(state().is).toBe('saved');
    expect(saver.info.getState().joined).toEqual([]);
    expect(server.puts).toHaveLength(2);
  });
});

describe('when somebody else saved meanwhile', () => {
  it('changes of other places are joined and saved, and the person is named', async () => {
    server.write(BASE.replace('depth: 3', 'depth: 5'));
    set('0.1', '0.2');
    await wait(5000);
    expect(server.document).toContain('eta: 0.2, depth: 5');
    expect(store.getState().doc.text).toBe(server.document);
    const [joined] = saver.info.getState().joined;
    expect(joined?.who?.name).toBe('Budi Santoso');
    expect(joined?.merged.theirs).toEqual([{ path: ['tasks', 'train', 'with', 'depth'], from: 3, to: 5 }]);
    expect(store.getState().said.text).toBe('Take in the changes of Budi Santoso');
    expect(state().is).toBe('saved');
  });

  it('undo and redo change what was done here and keep the work of the other person', async () => {
    set('echo 1', 'echo 2');
    await wait(2000);
    server.write(server.document.replace('depth: 3', 'depth: 5'));
    set('0.1', '0.2');
    await wait(5000);
    store.getState().undo();
    expect(store.getState().doc.text).toContain('eta: 0.1, depth: 5');
    store.getState().undo();
    expect(store.getState().doc.text).toBe(BASE.replace('depth: 3', 'depth: 5'));
    await wait(5000);
    expect(server.document).toContain('depth: 5');
    store.getState().redo();
    store.getState().redo();
    expect(store.getState().doc.text).toBe(BASE.replace('echo 1', 'echo 2').replace('0.1, depth: 3', '0.2, depth: 5'));
  });

  it('undo beyond what both changed leaves what the other person saved', async () => {
    set('0.1', '0.2');
    await wait(2000);
    server.write(server.document.replace('0.2', '0.3'));
    set('echo 1', 'echo 2');
    await wait(5000);
    store.getState().undo();
    store.getState().undo();
    expect(store.getState().doc.text).toBe(BASE.replace('0.1', '0.3'));
  });

  it('undo of a text that could not be read takes theirs, not nothing', async () => {
    write((text) => `${text}  x: [`, 'Break');
    write(() => BASE.replace('0.1', '0.2'), 'Mend');
    server.write(BASE.replace('depth: 3', 'depth: 5'));
    await wait(5000);
    store.getState().undo();
    expect(store.getState().doc.text).toBe(BASE.replace('depth: 3', 'depth: 5'));
  });

  it('their changes come in although nothing may be changed here any more', async () => {
    server.write(BASE.replace('depth: 3', 'depth: 5'));
    set('0.1', '0.2');
    store.setState({ readOnly: true });
    await wait(5000);
    expect(server.document).toContain('eta: 0.2, depth: 5');
    expect(store.getState().doc.text).toBe(server.document);
  });

  it('what they saved comes in instead of being published unseen', async () => {
    server.write(BASE.replace('depth: 3', 'depth: 5'));
    await expect(saver.publish('First', true)).rejects.toThrow('nothing was published');
    expect(server.published).toEqual([]);
    expect(store.getState().doc.text).toContain('depth: 5');
    expect(saver.info.getState().joined).toHaveLength(1);
    await saver.publish('First', true);
    expect(server.published).toEqual([BASE.replace('depth: 3', 'depth: 5')]);
    expect(server.puts).toEqual([]);
  });

  it('the same place is asked about, nothing is sent meanwhile, and what is chosen is saved', async () => {
    server.write(BASE.replace('0.1', '0.3'));
    set('0.1', '0.2');
    await wait(2000);
    const before = state();
    expect(before).toMatchObject({ is: 'conflict', merged: { clashes: [{ mine: 0.2, theirs: 0.3 }] } });
    set('echo 1', 'echo 2');
    await wait(5000);
    expect(server.puts).toHaveLength(1);
    saver.resolve(() => 'theirs');
    await wait(2000);
    expect(server.document).toContain('eta: 0.3');
    expect(server.document).toContain('echo 2');
    expect(state().is).toBe('saved');
    store.getState().undo();
    expect(store.getState().doc.text).toContain('eta: 0.2');
  });

  it('a text that cannot be read is kept or given up as a whole', async () => {
    server.write(BASE.replace('0.1', '0.3'));
    write((text) => `${text}  x: [`);
    await wait(2000);
    expect(state()).toMatchObject({ is: 'conflict', merged: { clashes: [{ path: [] }] } });
    saver.resolve(() => 'theirs');
    await wait(2000);
    expect(store.getState().doc.text).toBe(BASE.replace('0.1', '0.3'));
    expect(saver.info.getState().joined[0]?.merged.clashes[0]?.mine).toContain('x: [');
    expect(state().is).toBe('saved');
  });
});

describe('after a crash', () => {
  it('what was not saved is there, and is joined with what was saved since', async () => {
    server.problem = gone;
    set('0.1', '0.2');
    await wait(2000);
    stop();
    server.problem = null;
    server.write(BASE.replace('depth: 3', 'depth: 5'));
    begin();
    const [copy] = copiesOf('ana/demo:digits');
    expect(copy?.text).toContain('eta: 0.2');
    if (copy) await saver.restore(copy);
    await wait(3000);
    expect(server.document).toContain('eta: 0.2, depth: 5');
    expect(copiesOf('ana/demo:digits')).toEqual([]);
  });

  it('what was left behind is not written over by new changes', async () => {
    server.problem = gone;
    set('0.1', '0.2');
    await wait(2000);
    stop();
    server.problem = null;
    begin();
    set('depth: 3', 'depth: 4');
    await wait(3000);
    expect(state().is).toBe('saved');
    const [copy, ...more] = copiesOf('ana/demo:digits');
    expect(copy?.text).toContain('eta: 0.2');
    expect(more).toEqual([]);
  });

  it('a copy that is restored during a save waits for its answer, so that nothing is written over', async () => {
    server.problem = gone;
    set('0.1', '0.2');
    await wait(2000);
    stop();
    server.problem = null;
    server.write(BASE.replace('depth: 3', 'depth: 5'));
    begin();
    const [copy] = copiesOf('ana/demo:digits');
    set('echo 1', 'echo 2');
    await wait(PAUSE + 10);
    if (copy) void saver.restore(copy);
    await wait(5000);
    expect(server.document).toBe(BASE.replace('0.1, depth: 3', '0.2, depth: 5').replace('echo 1', 'echo 2'));
  });

  it('a page that is closed within the pause leaves a copy', () => {
    set('0.1', '0.2');
    window.dispatchEvent(new Event('pagehide'));
    expect(copiesOf('ana/demo:digits')).toHaveLength(1);
  });
});
