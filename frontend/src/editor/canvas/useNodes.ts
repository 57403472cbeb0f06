import { useReactFlow, type EdgeChange, type NodeChange } from '@xyflow/react';
import { useCallback, useMemo, useState } from 'react';
import { inOrder, moveTasks, setNote } from '../document/operations';
import { useEditor, useEditorStore } from '../store';
import type { Doc, Edit, Spot } from '../types';
import type { LinkEdge, Scene, SceneNode } from './scene';
import { counted } from './words';

type Moves = ReadonlyMap<string, Spot>;

/** Nodes and edges as React Flow wants them: with what is selected, and where they are while they are dragged. */
export function useNodes({ cards, notes, edges }: Scene) {
  const store = useEditorStore();
  const selection = useEditor((state) => state.selection);
  const [moves, setMoves] = useState<Moves | null>(null);
  const [variantOf] = useState(makeVariants);
  const shownNodes = useMemo(
    () => [...notes, ...cards].map((node) => variantOf.node(node, selection.has(node.id), moves?.get(node.id))),
    [cards, notes, selection, moves, variantOf],
  );
  const shownEdges = useMemo(() => edges.map((edge) => variantOf.edge(edge, selection.has(edge.id))), [edges, selection, variantOf]);

  const select = useCallback(
    (changes: (NodeChange | EdgeChange)[]) => {
      const chosen = changes.filter((change) => change.type === 'select');
      if (chosen.length === 0) return;
      const next = new Set(store.getState().selection);
      for (const { id, selected } of chosen) if (selected) next.add(id); else next.delete(id);
      store.getState().select(next);
    },
    [store],
  );
  const onNodesChange = useCallback(
    (changes: NodeChange<SceneNode>[]) => {
      select(changes);
      const moved = changes.flatMap((change): [string, Spot][] =>
        change.type === 'position' && change.dragging === true && change.position ? [[change.id, change.position]] : [],
      );
      if (moved.length > 0) setMoves((before) => new Map([...(before ?? []), ...moved]));
    },
    [select],
  );
  const drop = useDrop(moves, setMoves);
  return { nodes: shownNodes, edges: shownEdges, onNodesChange, onEdgesChange: select, drop };
}

/** The end of a drag: one entry of the history. */
function useDrop(moves: Moves | null, setMoves: (moves: Moves | null) => void) {
  const store = useEditorStore();
  const { getNode } = useReactFlow();
  return useCallback(() => {
    setMoves(null);
    const moved = [...(moves ?? [])].filter(([key]) => getNode(key));
    if (moved.length === 0) return;
    const [only] = moved;
    const { doc, transact } = store.getState();
    const single = only && doc.model.tasks.has(only[0]) ? only[0] : 'a note';
    transact(moved.length === 1 ? `Move ${single}` : `Move ${counted(moved.length, 'task')}`, (now) => movedTo(now, moved));
  }, [moves, setMoves, store, getNode]);
}

function movedTo(doc: Doc, moved: readonly [string, Spot][]): Edit {
  const notes = moved.flatMap(([id, spot]) => {
    const note = doc.layout.notes[id];
    return note ? [(now: Doc) => setNote(now, id, { ...note, ...spot })] : [];
  });
  return inOrder(doc, [(now) => moveTasks(now, Object.fromEntries(moved)), ...notes]);
}

/** Remembers the selected form of each node and edge, so that only what changed is another object. */
function makeVariants() {
  const nodes = new WeakMap<SceneNode, SceneNode>();
  const edges = new WeakMap<LinkEdge, LinkEdge>();
  return {
    node(node: SceneNode, selected: boolean, spot: Spot | undefined): SceneNode {
      if (spot) return { ...node, position: spot, selected };
      if (!selected) return node;
      const found = nodes.get(node) ?? { ...node, selected };
      nodes.set(node, found);
      return found;
    },
    edge(edge: LinkEdge, selected: boolean): LinkEdge {
      if (!selected) return edge;
      const found = edges.get(edge) ?? { ...edge, selected, zIndex: 1 };
      edges.set(edge, found);
      return found;
    },
  };
}
