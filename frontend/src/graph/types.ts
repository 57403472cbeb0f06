/** A drawing without React, requests or states: boxes with parents, links between siblings. Units are pixels. */

export interface Box {
  id: string;
  parent: string | null;
  /** A frame holds other boxes and takes its size from them. */
  frame: boolean;
  /** Of the card when it is not the usual size; the least size of a frame. */
  size?: Size;
}

export interface Size {
  width: number;
  height: number;
}

export interface Link {
  id: string;
  from: string;
  to: string;
  /** Said on the link; empty for the usual "after success". */
  label: string;
  /** Drawn so beside the others; like them when absent. */
  look?: 'added' | 'removed';
}

export interface Drawing {
  boxes: Box[];
  links: Link[];
}

export interface Point {
  x: number;
  y: number;
}

/** x and y are relative to the parent's corner. */
export interface Place extends Point {
  width: number;
  height: number;
}

export type Places = ReadonlyMap<string, Place>;

/** right: along the links from left to right · down: from top to bottom */
export type Flow = 'right' | 'down';

/**
 * How a link gets from rank to rank, on the whole drawing. `gaps`: the middle of each gap it crosses, measured along the
 * flow. `lanes`: where it passes each rank between two gaps, measured across the flow; one fewer than gaps.
 */
export interface Route {
  gaps: number[];
  lanes: number[];
}

export interface Placement {
  flow: Flow;
  places: Places;
  /** By link id. */
  routes: ReadonlyMap<string, Route>;
  width: number;
  height: number;
}
