import { useStoreApi } from '@xyflow/react';
import { useEffect } from 'react';

/** Tells the cards by an attribute how much of themselves fits, without drawing anything anew. */
export function Tier() {
  const store = useStoreApi();
  useEffect(() => {
    let told = 0;
    const tell = () => {
      const { domNode, transform } = store.getState();
      const zoom = transform[2];
      // The store also tells of every frame of a drag.
      if (!domNode || zoom === told) return;
      told = zoom;
      domNode.dataset.tier = tierOf(zoom);
      domNode.toggleAttribute('data-near', zoom > 1);
      // In steps, so that a turn of the wheel does not style every card in every frame.
      domNode.style.setProperty('--zoom', String(Math.max(0.3, Math.round(zoom * 10) / 10)));
    };
    tell();
    return store.subscribe(tell);
  }, [store]);
  return null;
}

/** full: the whole card · some: icon, name and glyph · glyph: a tinted box with the glyph */
function tierOf(zoom: number): 'full' | 'some' | 'glyph' {
  if (zoom > 0.6) return 'full';
  return zoom > 0.35 ? 'some' : 'glyph';
}
