import { createContext, use } from 'react';
import type { Stage } from '../commands/types';

export const StageContext = createContext<Stage | null>(null);

/** The page around a part: its store, its dialogs, the camera of its canvas. */
export function useStage(): Stage {
  const stage = use(StageContext);
  if (!stage) throw new Error('A part of the editor is drawn inside of a StageContext.');
  return stage;
}
