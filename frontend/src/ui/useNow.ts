import { useSyncExternalStore } from 'react';

interface Clock {
  now: number;
  watchers: Set<() => void>;
  timer: ReturnType<typeof setInterval> | null;
  watch: (watcher: () => void) => () => void;
  read: () => number;
}

const clocks = new Map<number, Clock>();

function clockOf(period: number): Clock {
  const known = clocks.get(period);
  if (known) return known;
  const clock: Clock = {
    now: Date.now(),
    watchers: new Set(),
    timer: null,
    watch: (watcher) => {
      clock.watchers.add(watcher);
      clock.now = Date.now();
      clock.timer ??= setInterval(() => {
        clock.now = Date.now();
        for (const each of clock.watchers) each();
      }, period);
      return () => {
        clock.watchers.delete(watcher);
        if (clock.watchers.size > 0 || clock.timer === null) return;
        clearInterval(clock.timer);
        clock.timer = null;
      };
    },
    read: () => clock.now,
  };
  clocks.set(period, clock);
  return clock;
}

const still = () => () => undefined;
const zero = () => 0;

/** The time in milliseconds, anew every `period` ms; one timer for all who ask alike. Period 0: stands still. */
export function useNow(period: number): number {
  const clock = period > 0 ? clockOf(period) : null;
  return useSyncExternalStore(clock?.watch ?? still, clock?.read ?? zero);
}
