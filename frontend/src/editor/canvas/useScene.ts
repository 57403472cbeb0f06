import { useEffect, useMemo, useState } from 'react';
import { useFarPlacement } from '../../canvas/useFarPlacement';
import { AT_ONCE } from '../../graph/far';
import type { Drawing } from '../../graph/types';
import { keepDrawn, laidOut, spotsIn, unsettled, type Spots } from '../places';
import { portsOf } from '../ports';
import { useEditor } from '../store';
import type { Model } from '../types';
import { same } from './same';
import { groundOf, makeScenes, shownIn, type Scene } from './scene';
import { useCanvas, useCanvasStore } from './state';

/** What is drawn of the document now; null while a large one is laid out. */
export function useScene(): Scene | null {
  const doc = useEditor((state) => state.doc);
  const catalogue = useEditor((state) => state.catalogue);
  const judged = useEditor((state) => state.judged);
  const folded = useEditor((state) => state.folded);
  const opened = useCanvas((state) => state.opened);
  const { model, layout } = doc;
  const ports = useMemo(() => (key: string) => portsOf(key, { model, catalogue, judged }), [model, catalogue, judged]);
  const shown = useMemo(() => shownIn(model, ports, opened), [model, ports, opened]);
  const ground = useMemo(() => groundOf(model, shown), [model, shown]);
  const drawing = useSame(useMemo(() => unsettled(ground, layout.tasks), [ground, layout]));
  const laid = useLaidOut(drawing, model);
  const [sceneOf] = useState(makeScenes);
  const scene = useMemo(
    () => (laid === null ? null : sceneOf({ model, spots: { ...laid, ...layout.tasks }, notes: layout.notes, folded }, shown, ground)),
    [sceneOf, model, laid, layout, folded, shown, ground],
  );
  useEffect(() => {
    if (scene) keepDrawn(doc, scene.places);
  }, [doc, scene]);
  useShared(scene);
  return scene;
}

/** The last drawing for as long as the new one says the same: nothing is laid out anew because the catalogue came. */
function useSame(drawing: Drawing | null): Drawing | null {
  const [last, setLast] = useState(drawing);
  if (drawing === last || same(drawing, last)) return last;
  setLast(drawing);
  return drawing;
}

const NOTHING: Spots = {};

/** Spots for what has none; null while the worker is at it. */
function useLaidOut(drawing: Drawing | null, model: Model): Spots | null {
  const far = drawing !== null && drawing.boxes.length > AT_ONCE;
  const placement = useFarPlacement(far ? drawing : null);
  const now = useMemo(() => {
    if (drawing === null) return NOTHING;
    if (!far) return laidOut(drawing, model.tasks);
    return placement && spotsIn(placement, drawing, model.tasks);
  }, [drawing, far, placement, model]);
  const [last, setLast] = useState(now);
  if (now !== null && now !== last) setLast(now);
  // While a changed drawing is laid out again, the last answer stays on screen.
  return now ?? last;
}

/** Commands align and tidy what is drawn. */
function useShared(scene: Scene | null) {
  const canvas = useCanvasStore();
  useEffect(() => {
    canvas.setState({ scene });
    return () => canvas.setState({ scene: null });
  }, [canvas, scene]);
}
