import { useQueryClient, type QueryKey } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import { useLive, type LiveKind } from './live';

/** Lists are asked for again at most this often, however much happens. Milliseconds. */
const CALM_MS = 1500;

/** Asks for these queries again when the socket says that something moved, calmly. */
export function useLiveQueries(kind: LiveKind, id: string | null, keys: QueryKey[]): void {
  const queryClient = useQueryClient();
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null);
  const latest = useRef(keys);
  useEffect(() => {
    latest.current = keys;
  });
  useEffect(
    () => () => {
      if (timer.current !== null) clearTimeout(timer.current);
    },
    [],
  );
  useLive(kind, id, (message) => {
    if (message.type === 'log' || timer.current !== null) return;
    timer.current = setTimeout(() => {
      timer.current = null;
      for (const queryKey of latest.current) void queryClient.invalidateQueries({ queryKey });
    }, CALM_MS);
  });
}
