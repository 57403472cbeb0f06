import { createContext, use } from 'react';
import { useStore } from 'zustand';
import type { Saver, SaveInfo } from './save';

export const SaverContext = createContext<Saver | null>(null);

export function useSaver(): Saver {
  const saver = use(SaverContext);
  if (!saver) throw new Error('A part of the editor is drawn inside of a SaverContext.');
  return saver;
}

export function useSave<T>(select: (info: SaveInfo) => T): T {
  return useStore(useSaver().info, select);
}
