import type { Artifact, ArtifactItem, Neighbour, Trace, TraceNode } from '../api/types';

/** Readers that are drawn; the list has all of them. */
export const READERS = 6;
/** Artifacts drawn of one record. */
const EACH = 6;

export interface Hops {
  nodes: TraceNode[];
  edges: Trace['edges'];
  /** More is known than is drawn. */
  cut: boolean;
}

type Record = Neighbour['record'];

const artifactId = (id: string) => `artifact:${id}`;
const recordId = (id: string) => `record:${id}`;

/** What is one step up and one step down of an artifact, as nodes and edges: records between artifacts. */
export function hopsOf(self: Artifact, up: readonly Neighbour[], down: readonly Neighbour[]): Hops {
  const nodes = new Map<string, TraceNode>();
  const edges: Trace['edges'] = [];
  const add = (node: TraceNode) => nodes.set(node.id, node).get(node.id) ?? node;
  const link = (from: string, to: string, slot: string) => edges.push({ from, to, slot });
  const own = add(artifactNode(self));
  const shown = down.slice(0, READERS);
  for (const { record, slot, artifacts } of up) {
    const maker = add(recordNode(record));
    link(maker.id, own.id, slot);
    for (const use of artifacts.slice(0, EACH)) link(add(artifactNode(use.artifact)).id, maker.id, use.slot);
  }
  for (const { record, slot, artifacts } of shown) {
    const reader = add(recordNode(record));
    link(own.id, reader.id, slot);
    for (const use of artifacts.slice(0, EACH)) link(reader.id, add(artifactNode(use.artifact)).id, use.slot);
  }
  const cut = shown.length < down.length || [...up, ...shown].some((each) => each.artifacts.length > EACH);
  return { nodes: [...nodes.values()], edges, cut };
}

function artifactNode({ id, name, kind, sha256, size }: ArtifactItem | Artifact): TraceNode {
  return { id: artifactId(id), type: 'artifact', label: name, detail: { artifact: id, kind, sha256, size } };
}

function recordNode({ id, job, task, state, run, run_number: number }: Record): TraceNode {
  return { id: recordId(id), type: 'record', label: job, detail: { task, state, run, run_number: number } };
}
