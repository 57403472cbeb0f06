import { describe, expect, it, vi } from 'vitest';
import type { Run, TaskRun } from '../api/types';
import { makeRun, makeTask } from '../testing/make';
import { createRunStore } from './store';

function setUp() {
  const world = { run: makeRun({ last_seq: 3 }), tasks: [makeTask('a'), makeTask('b')] };
  const frames: (() => void)[] = [];
  const getRun = vi.fn(() => Promise.resolve<Run>(world.run));
  const getTasks = vi.fn((_: string, since: number) =>
    Promise.resolve<TaskRun[]>(since === 0 ? world.tasks : world.tasks.filter((task) => task.reason === 'moved')),
  );
  const store = createRunStore('r', { getRun, getTasks, frame: (work) => frames.push(work) });
  const draw = () => frames.splice(0).forEach((work) => work());
  return { world, store, getRun, getTasks, draw, frames };
}

const run = (seq: number) => ({ type: 'run', id: 'r', seq, pipeline: 'p', state: 'running' }) as const;

describe('the state of a run page', () => {
  it('begins with everything', async () => {
    const { store, draw } = setUp();
    await store.refresh();
    draw();
    expect(store.getState().keys).toEqual(['a', 'b']);
    expect(store.getState().run?.number).toBe(12);
  });

  it('asks only for what moved after the last event it saw, and keeps the rest as it was', async () => {
    const { world, store, getTasks, draw } = setUp();
    await store.refresh();
    draw();
    const untouched = store.getState().tasks.b;
    world.run = makeRun({ last_seq: 5 });
    world.tasks[0] = makeTask('a', { state: 'running', reason: 'moved' });
    store.hear(run(5));
    await vi.waitFor(() => expect(getTasks).toHaveBeenLastCalledWith('r', 3, expect.anything()));
    await vi.waitFor(() => {
      draw();
      expect(store.getState().tasks.a?.state).toBe('running');
    });
    expect(store.getState().tasks.b).toBe(untouched);
  });

  it('does not ask for an event that it has seen', async () => {
    const { store, getRun, draw } = setUp();
    await store.refresh();
    draw();
    store.hear(run(3));
    store.hear({ type: 'subscribed', kind: 'run', id: 'r', seq: 3 });
    expect(getRun).toHaveBeenCalledOnce();
  });

  it('asks again after a reconnect that brings a later number: the gap is filled', async () => {
    const { store, getRun, getTasks, draw } = setUp();
    await store.refresh();
    draw();
    store.hear({ type: 'subscribed', kind: 'run', id: 'r', seq: 9 });
    await vi.waitFor(() => expect(getTasks).toHaveBeenLastCalledWith('r', 3, expect.anything()));
    expect(getRun).toHaveBeenCalledTimes(2);
  });

  it('never asks twice at once; what comes meanwhile makes one more round', async () => {
    const { store, getRun } = setUp();
    const going = store.refresh();
    for (let seq = 10; seq < 60; seq += 1) store.hear(run(seq));
    await going;
    expect(getRun).toHaveBeenCalledTimes(2);
  });

  it('writes once per frame, however much is heard', () => {
    const { store, draw, frames } = setUp();
    const seen = vi.fn();
    store.subscribe(seen);
    for (let lines = 1; lines <= 100; lines += 1) store.hear({ type: 'log', run: 'r', attempt: 'x', lines });
    expect(frames).toHaveLength(1);
    expect(seen).not.toHaveBeenCalled();
    draw();
    expect(seen).toHaveBeenCalledOnce();
    expect(store.getState().logLines.x).toBe(100);
  });

  it('keeps what it has when a fetch fails, and says why', async () => {
    const { store, getRun, draw } = setUp();
    await store.refresh();
    draw();
    getRun.mockRejectedValueOnce(new Error('no answer'));
    await store.refresh();
    draw();
    expect(store.getState().problem).toEqual(new Error('no answer'));
    expect(store.getState().keys).toHaveLength(2);
    await store.refresh();
    draw();
    expect(store.getState().problem).toBeNull();
  });

  it('writes nothing after the page was left', async () => {
    const { store, draw } = setUp();
    store.hold()();
    await new Promise((resolve) => setTimeout(resolve));
    draw();
    expect(store.getState().run).toBeNull();
  });

  it('stays for who leaves and comes back at once', async () => {
    const { store, draw } = setUp();
    store.hold()();
    store.hold();
    await new Promise((resolve) => setTimeout(resolve));
    await vi.waitFor(() => {
      draw();
      expect(store.getState().run?.number).toBe(12);
    });
  });
});
