import { useEffect, useState } from 'react';
import { layoutFar } from '../graph/far';
import type { Drawing, Placement } from '../graph/types';

/** What the worker makes of a drawing; null until it has answered, and for none. */
export function useFarPlacement(drawing: Drawing | null): Placement | null {
  const [answer, setAnswer] = useState<{ drawing: Drawing; placement: Placement } | null>(null);
  useEffect(() => {
    if (drawing === null) return;
    let current = true;
    void layoutFar(drawing).then((placement) => {
      if (current) setAnswer({ drawing, placement });
    });
    return () => {
      current = false;
    };
  }, [drawing]);
  return answer?.drawing === drawing ? answer.placement : null;
}
