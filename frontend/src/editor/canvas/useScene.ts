import { useEffect, useMemo, useState } from 'react';
import { layoutFar } from '../../graph/far';
import type { Drawing } from '../../graph/types';
import { AT_ONCE, laidOut, noteDrawn, spotsIn, unsettled, type Spots } from '../places';
import { portsOf } from '../ports';
import { useEditor } from '../store';
import type { Model } from '../types';
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
  const drawing = useMemo(() => unsettled(ground, layout.tasks), [ground, layout]);
  const laid = useLaidOut(drawing, model);
  const [sceneOf] = useState(makeScenes);
  const scene = useMemo(
    () => (laid === null ? null : sceneOf({ model, spots: { ...laid, ...layout.tasks }, folded }, shown, ground)),
    [sceneOf, model, laid, layout, folded, shown, ground],
  );
  useEffect(() => {
    if (scene) noteDrawn(doc, scene.places);
  }, [doc, scene]);
  useShared(scene);
  return scene;
}

const NOTHING: Spots = {};

/** Spots for what has none; null while the worker is at it. */
function useLaidOut(drawing: Drawing | null, model: Model): Spots | null {
  const far = drawing !== null && drawing.boxes.length > AT_ONCE;
  const near = useMemo(() => {
    if (drawing === null) return NOTHING;
    return far ? null : laidOut(drawing, model.tasks);
  }, [drawing, far, model]);
  const [answer, setAnswer] = useState<{ spots: Spots } | null>(null);
  useEffect(() => {
    if (!far) return;
    let current = true;
    void layoutFar(drawing).then((placement) => {
      if (current) setAnswer({ spots: spotsIn(placement, drawing, model.tasks) });
    });
    return () => {
      current = false;
    };
  }, [far, drawing, model]);
  // While a changed drawing is laid out again, the last answer stays on screen.
  return near ?? answer?.spots ?? null;
}

/** Commands align and tidy what is drawn. */
function useShared(scene: Scene | null) {
  const canvas = useCanvasStore();
  useEffect(() => {
    canvas.setState({ scene });
    return () => canvas.setState({ scene: null });
  }, [canvas, scene]);
}
