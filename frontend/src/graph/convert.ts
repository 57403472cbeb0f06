import type { Drawing } from './types';

interface TaskLike {
  key: string;
  parent: string | null;
  kind: string;
}
interface EdgeLike {
  up: string;
  down: string;
  rule: string;
}

const RULE_WORDS: Record<string, string> = { success: '', failure: 'on failure', always: 'always' };

/** A version's tasks and edges as a drawing. An edge to a task that is not there is left out. */
export function drawingOf(tasks: readonly TaskLike[], edges: readonly EdgeLike[]): Drawing {
  const known = new Set(tasks.map((task) => task.key));
  const holders = new Set(tasks.map((task) => task.parent));
  return {
    boxes: tasks.map((task) => ({
      id: task.key,
      parent: task.parent !== null && known.has(task.parent) ? task.parent : null,
      frame: task.kind === 'group' || holders.has(task.key),
    })),
    links: edges
      .filter((edge) => known.has(edge.up) && known.has(edge.down))
      .map((edge) => ({
        id: `${edge.up}>${edge.down}:${edge.rule}`,
        from: edge.up,
        to: edge.down,
        label: RULE_WORDS[edge.rule] ?? edge.rule,
      })),
  };
}

interface TraceNodeLike {
  id: string;
}
interface TraceEdgeLike {
  from: string;
  to: string;
}

/** A trace as a drawing, oldest on the left. Two slots between the same two things are one link. */
export function drawingOfTrace(nodes: readonly TraceNodeLike[], edges: readonly TraceEdgeLike[]): Drawing {
  const known = new Set(nodes.map((node) => node.id));
  const links = new Map(
    edges
      .filter((edge) => known.has(edge.from) && known.has(edge.to))
      .map((edge) => [`${edge.from}>${edge.to}`, edge]),
  );
  return {
    boxes: nodes.map((node) => ({ id: node.id, parent: null, frame: false })),
    links: [...links].map(([id, edge]) => ({ id, from: edge.from, to: edge.to, label: '' })),
  };
}
