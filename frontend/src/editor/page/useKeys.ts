import { useEffect } from 'react';
import { perform } from '../commands/keys';
import type { Stage } from '../commands/types';

/** Presses anywhere on the page that are commands. A dialog keeps its keys for itself. */
export function useKeys(stage: Stage): void {
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const inDialog = event.target instanceof Element && event.target.closest('[role="dialog"], [role="menu"]') !== null;
      if (event.defaultPrevented || inDialog) return;
      if (perform(event, stage)) event.preventDefault();
    };
    window.addEventListener('keydown', press);
    return () => window.removeEventListener('keydown', press);
  }, [stage]);
}
