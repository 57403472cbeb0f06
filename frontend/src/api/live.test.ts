import { beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeSocket } from '../testing/socket';
import { Live, reconnectDelay, type LiveMessage } from './live';

function make() {
  return new Live({ open: () => new FakeSocket(), random: () => 1 });
}

beforeEach(() => {
  vi.useFakeTimers();
  return () => vi.useRealTimers();
});

describe('the live socket', () => {
  it('is opened by the first subscription and shared by the next', () => {
    const live = make();
    expect(live.status).toBe('idle');
    live.subscribe('run', 'r1', vi.fn());
    live.subscribe('run', 'r2', vi.fn());
    expect(FakeSocket.all).toHaveLength(1);
    expect(live.status).toBe('connecting');
  });

  it('asks for what was subscribed before it was open', () => {
    make().subscribe('run', 'r1', vi.fn());
    FakeSocket.last.accept();
    expect(FakeSocket.last.sent).toEqual([{ verb: 'subscribe', kind: 'run', id: 'r1' }]);
  });

  it('tells a message to those who asked for it, and to nobody else', () => {
    const live = make();
    const [one, other, fleet] = [vi.fn(), vi.fn(), vi.fn()];
    live.subscribe('run', 'r1', one);
    live.subscribe('run', 'r2', other);
    live.subscribe('fleet', '*', fleet);
    FakeSocket.last.accept();
    const message = { type: 'run', id: 'r1', seq: 4, pipeline: 'p', state: 'running' };
    FakeSocket.last.say(message);
    expect(one).toHaveBeenCalledWith(message);
    expect(fleet).toHaveBeenCalledWith(message);
    expect(other).not.toHaveBeenCalled();
  });

  it('unpacks a batch', () => {
    const live = make();
    const heard: LiveMessage[] = [];
    live.subscribe('run', 'r1', (message) => heard.push(message));
    FakeSocket.last.accept();
    FakeSocket.last.say({
      type: 'batch',
      messages: [
        { type: 'log', run: 'r1', attempt: 'a', lines: 5 },
        { type: 'run', id: 'r1', seq: 2, pipeline: 'p', state: 'running' },
      ],
    });
    expect(heard.map((message) => message.type)).toContain('log');
    expect(heard.map((message) => message.type)).toContain('run');
  });

  it('connects again after a loss and subscribes again to everything', () => {
    const live = make();
    live.subscribe('run', 'r1', vi.fn());
    live.subscribe('fleet', '*', vi.fn());
    FakeSocket.last.accept();
    FakeSocket.last.drop();
    expect(live.status).toBe('reconnecting');
    vi.advanceTimersByTime(reconnectDelay(1, 1));
    expect(FakeSocket.all).toHaveLength(2);
    FakeSocket.last.accept();
    expect(live.status).toBe('open');
    expect(FakeSocket.last.sent.map(({ kind, id }) => `${kind}:${id}`)).toEqual(['run:r1', 'fleet:*']);
  });

  it('waits longer from loss to loss, up to a bound, and begins anew once it was open', () => {
    expect([1, 2, 3, 10].map((failures) => reconnectDelay(failures, 1))).toEqual([500, 1000, 2000, 15_000]);
    expect(reconnectDelay(3, 0)).toBe(1000);
    const live = make();
    live.subscribe('run', 'r1', vi.fn());
    for (const delay of [500, 1000, 2000]) {
      FakeSocket.last.drop();
      const before = FakeSocket.all.length;
      vi.advanceTimersByTime(delay - 1);
      expect(FakeSocket.all).toHaveLength(before);
      vi.advanceTimersByTime(1);
      expect(FakeSocket.all).toHaveLength(before + 1);
    }
    FakeSocket.last.accept();
    FakeSocket.last.drop();
    vi.advanceTimersByTime(500);
    expect(FakeSocket.all).toHaveLength(5);
  });

  it('does not sit out its delay when the network comes back', () => {
    const live = make();
    live.subscribe('run', 'r1', vi.fn());
    FakeSocket.last.drop();
    live.hurry();
    expect(FakeSocket.all).toHaveLength(2);
    live.hurry();
    expect(FakeSocket.all).toHaveLength(2);
  });

  it('leaves what nobody hears any more, and rests a while after the last one left', () => {
    const live = make();
    const leaveOne = live.subscribe('run', 'r1', vi.fn());
    const leaveTwo = live.subscribe('run', 'r1', vi.fn());
    FakeSocket.last.accept();
    leaveOne();
    expect(FakeSocket.last.sent).toHaveLength(1);
    leaveTwo();
    expect(FakeSocket.last.sent.at(-1)).toEqual({ verb: 'unsubscribe', kind: 'run', id: 'r1' });
    expect(live.status).toBe('open');
    vi.advanceTimersByTime(3000);
    expect(live.status).toBe('idle');
  });

  it('stays open across a change of page', () => {
    const live = make();
    const leave = live.subscribe('run', 'r1', vi.fn());
    FakeSocket.last.accept();
    leave();
    live.subscribe('run', 'r2', vi.fn());
    vi.advanceTimersByTime(10_000);
    expect(live.status).toBe('open');
    expect(FakeSocket.all).toHaveLength(1);
  });

  it('hears nothing from a socket that it has given up', () => {
    const live = make();
    const listener = vi.fn();
    live.subscribe('run', 'r1', listener);
    const old = FakeSocket.last;
    old.accept();
    old.drop();
    vi.advanceTimersByTime(500);
    old.say({ type: 'run', id: 'r1', seq: 9, pipeline: 'p', state: 'failed' });
    old.drop();
    expect(listener).not.toHaveBeenCalled();
    expect(FakeSocket.all).toHaveLength(2);
  });

  it('survives what is not JSON', () => {
    const warn = vi.spyOn(console, 'warn').mockReturnValue();
    make().subscribe('run', 'r1', vi.fn());
    FakeSocket.last.accept();
    FakeSocket.last.onmessage?.({ data: '<html>' });
    expect(warn).toHaveBeenCalledOnce();
  });
});
