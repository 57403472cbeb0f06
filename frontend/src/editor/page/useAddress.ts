import { getRouteApi } from '@tanstack/react-router';
import { useEffect, useEffectEvent } from 'react';
import type { EditorSearch } from '../search';
import { useEditorStore, type EditorState } from '../store';
import { selectedTask } from './selected';

const route = getRouteApi('/shell/pipelines/$name/edit');

/** Milliseconds for which the selection must stand before it is written into the address. */
const PAUSE = 300;

/** Keeps view, selected task and opened panel in the address, so that a reload or a passed-on link shows the same. */
export function useAddress(panel: EditorSearch['panel']): void {
  const store = useEditorStore();
  const navigate = route.useNavigate();
  const write = useEffectEvent((state: EditorState) => {
    const view = state.view === 'canvas' ? undefined : state.view;
    const task = selectedTask(state) ?? undefined;
    void navigate({ search: (old) => ({ ...old, view, task }), replace: true });
  });
  useEffect(() => {
    void navigate({ search: (old) => ({ ...old, panel }), replace: true });
  }, [navigate, panel]);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const unsubscribe = store.subscribe((state, before) => {
      if (state.view === before.view && selectedTask(state) === selectedTask(before)) return;
      clearTimeout(timer);
      timer = setTimeout(() => write(store.getState()), PAUSE);
    });
    return () => {
      unsubscribe();
      clearTimeout(timer);
    };
  }, [store]);
}
