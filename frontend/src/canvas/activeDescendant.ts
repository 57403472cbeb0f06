import { useLayoutEffect, useRef, type RefObject } from 'react';

/**
 * Ref of a card that the canvas around it names as its active descendant, for as long as both hold: the card is the active
 * one, and it is drawn. What is off screen is not mounted, and an attribute that leads nowhere helps nobody.
 */
export function useActiveDescendant(active: boolean): RefObject<HTMLDivElement | null> {
  const card = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const canvas = active ? card.current?.closest('.react-flow') : null;
    if (!canvas || !card.current) return undefined;
    canvas.setAttribute('aria-activedescendant', card.current.id);
    return () => canvas.removeAttribute('aria-activedescendant');
  }, [active]);
  return card;
}
