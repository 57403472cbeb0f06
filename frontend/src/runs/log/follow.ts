/** Whether the log follows its end: scrolling up pauses, coming back to the end goes on. All figures in pixels. */
export interface ScrollSpot {
  top: number;
  height: number;
  content: number;
}

const NEAR_END_PX = 24;

export function atEnd(spot: ScrollSpot): boolean {
  return spot.content - spot.top - spot.height <= NEAR_END_PX;
}

export function followAfterScroll(following: boolean, before: number, spot: ScrollSpot): boolean {
  if (atEnd(spot)) return true;
  return spot.top < before - 1 ? false : following;
}
