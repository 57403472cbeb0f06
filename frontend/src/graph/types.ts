/** A drawing without React, requests or states: boxes with parents, links between siblings. Units are pixels. */

export interface Box {
  id: string;
  parent: string | null;
  /** A frame holds other boxes and takes its size from them. */
  frame: boolean;
}

export interface Link {
  id: string;
  from: string;
  to: string;
  /** Said on the link; empty for the usual "after success". */
  label: string;
}

export interface Drawing {
  boxes: Box[];
  links: Link[];
}

/** x and y are relative to the parent's corner. */
export interface Place {
  x: number;
  y: number;
  width: number;
  height: number;
}

export type Placement = ReadonlyMap<string, Place>;
