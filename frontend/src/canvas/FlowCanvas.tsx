import '@xyflow/react/dist/base.css';
import {
  Background,
  BackgroundVariant,
  Handle,
  Panel,
  Position,
  ReactFlow,
  ReactFlowProvider,
  useReactFlow,
  useStore,
  type Edge,
  type Node,
  type NodeProps,
} from '@xyflow/react';
import { Maximize, ZoomIn, ZoomOut } from 'lucide-react';
import {
  createContext,
  memo,
  use,
  useCallback,
  useEffect,
  useMemo,
  useState,
  type ComponentType,
  type KeyboardEvent,
  type ReactNode,
} from 'react';
import { absolute, layout } from '../graph/layout';
import { first, neighbour, type Direction } from '../graph/navigate';
import type { Drawing, Placement } from '../graph/types';
import { IconButton } from '../ui/Button';
import css from './FlowCanvas.module.css';

export interface CardProps {
  id: string;
  selected: boolean;
}

interface Parts {
  Card: ComponentType<CardProps>;
  Frame: ComponentType<CardProps>;
  active: string | null;
  selected: string | null;
}

const PartsContext = createContext<Parts | null>(null);

function useParts(): Parts {
  const parts = use(PartsContext);
  if (!parts) throw new Error('A card is drawn on a FlowCanvas.');
  return parts;
}

const domId = (id: string) => `card-${id}`;

const CardNode = memo(function CardNode({ id }: NodeProps) {
  const { Card, active, selected } = useParts();
  return (
    <div id={domId(id)} className={css.node} data-active={active === id || undefined}>
      <Handle type="target" position={Position.Left} isConnectable={false} className={css.port} />
      <Card id={id} selected={selected === id} />
      <Handle type="source" position={Position.Right} isConnectable={false} className={css.port} />
    </div>
  );
});

const FrameNode = memo(function FrameNode({ id }: NodeProps) {
  const { Frame, active, selected } = useParts();
  return (
    <div id={domId(id)} className={css.node} data-active={active === id || undefined}>
      <Handle type="target" position={Position.Left} isConnectable={false} className={css.port} />
      <Frame id={id} selected={selected === id} />
      <Handle type="source" position={Position.Right} isConnectable={false} className={css.port} />
    </div>
  );
});

const NODE_TYPES = { card: CardNode, frame: FrameNode };
const PORT = 10;
const EMPTY: Node[] = [];

/** Sizes and handles are given, so that nothing waits to be measured and what is off screen is never mounted. */
function nodesOf(drawing: Drawing, places: Placement): Node[] {
  const depth = new Map<string, number>();
  const depthOf = (id: string | null): number => {
    if (id === null) return -1;
    const known = depth.get(id);
    if (known !== undefined) return known;
    const parent = drawing.boxes.find((box) => box.id === id)?.parent ?? null;
    const value = depthOf(parent) + 1;
    depth.set(id, value);
    return value;
  };
  const outerFirst = [...drawing.boxes].sort((a, b) => depthOf(a.parent) - depthOf(b.parent));
  return outerFirst.map((box) => {
    const place = places.get(box.id) ?? { x: 0, y: 0, width: 0, height: 0 };
    const middle = box.frame ? 20 : place.height / 2;
    return {
      id: box.id,
      type: box.frame ? 'frame' : 'card',
      position: { x: place.x, y: place.y },
      ...(box.parent === null ? {} : { parentId: box.parent }),
      data: {},
      width: place.width,
      height: place.height,
      measured: { width: place.width, height: place.height },
      handles: [
        { type: 'target', position: Position.Left, x: -PORT / 2, y: middle - PORT / 2, width: PORT, height: PORT },
        { type: 'source', position: Position.Right, x: place.width - PORT / 2, y: middle - PORT / 2, width: PORT, height: PORT },
      ],
      zIndex: box.frame ? -1 : 0,
    } satisfies Node;
  });
}

function edgesOf(drawing: Drawing): Edge[] {
  return drawing.links.map((link) => ({
    id: link.id,
    source: link.from,
    target: link.to,
    ...(link.label ? { label: link.label, labelBgPadding: [4, 2] as [number, number], labelBgBorderRadius: 4 } : {}),
    focusable: false,
    zIndex: 0,
  }));
}

interface Props {
  /** Accessible name: "Graph of run 812". */
  label: string;
  drawing: Drawing;
  Card: ComponentType<CardProps>;
  Frame?: ComponentType<CardProps>;
  selected: string | null;
  onSelect: (id: string | null) => void;
  children?: ReactNode;
}

const NoFrame = () => null;

/**
 * The shared canvas: pipelines, runs and traces are drawn on it. One tab stop; arrows go from card to card,
 * Enter opens, Escape lets go. What a card shows is its own business: the node list never changes with states.
 */
export function FlowCanvas(props: Props) {
  return (
    <ReactFlowProvider>
      <Canvas {...props} />
    </ReactFlowProvider>
  );
}

const KEYS: Record<string, Direction> = {
  ArrowLeft: 'left',
  ArrowRight: 'right',
  ArrowUp: 'up',
  ArrowDown: 'down',
};
const FIT = { padding: 0.12, maxZoom: 1, minZoom: 0.05 };

function Canvas({ label, drawing, Card, Frame = NoFrame, selected, onSelect, children }: Props) {
  const places = useMemo(() => layout(drawing), [drawing]);
  const nodes = useMemo(() => nodesOf(drawing, places), [drawing, places]);
  const edges = useMemo(() => edgesOf(drawing), [drawing]);
  const parents = useMemo(() => new Map(drawing.boxes.map((box) => [box.id, box.parent])), [drawing]);
  const [active, setActive] = useState<string | null>(null);
  const show = useShow(places, parents);
  const { fitView } = useReactFlow();

  useEffect(() => {
    if (selected === null || !places.has(selected)) return;
    setActive(selected);
    show(selected);
  }, [selected, places, show]);

  const onKeyDown = useCallback(
    (event: KeyboardEvent) => {
      if (event.target !== event.currentTarget) return;
      const direction = KEYS[event.key];
      if (direction && !event.altKey && !event.ctrlKey && !event.metaKey) {
        const next = active === null ? first(drawing, places) : neighbour(drawing, places, active, direction);
        if (next !== null) {
          setActive(next);
          show(next);
        }
      } else if ((event.key === 'Enter' || event.key === ' ') && active !== null) onSelect(active);
      else if (event.key === 'Escape') onSelect(null);
      else if (event.key === '0') void fitView(FIT);
      else return;
      event.preventDefault();
    },
    [active, drawing, places, show, onSelect, fitView],
  );

  const parts = useMemo(() => ({ Card, Frame, active, selected }), [Card, Frame, active, selected]);
  return (
    <PartsContext value={parts}>
      <ReactFlow
        className={css.canvas}
        nodes={nodes.length > 0 ? nodes : EMPTY}
        edges={edges}
        nodeTypes={NODE_TYPES}
        tabIndex={0}
        aria-label={`${label}. Arrow keys go from card to card, Enter opens one, 0 shows all.`}
        aria-activedescendant={active === null ? undefined : domId(active)}
        onKeyDown={onKeyDown}
        onFocus={(event) => {
          if (event.target === event.currentTarget) setActive((known) => known ?? first(drawing, places));
        }}
        onNodeClick={(event, node) => {
          setActive(node.id);
          onSelect(node.id);
          (event.currentTarget.closest('.react-flow') as HTMLElement | null)?.focus({ preventScroll: true });
        }}
        onPaneClick={() => onSelect(null)}
        fitView
        fitViewOptions={FIT}
        minZoom={0.05}
        maxZoom={1.75}
        onlyRenderVisibleElements
        nodesDraggable={false}
        nodesConnectable={false}
        nodesFocusable={false}
        edgesFocusable={false}
        elementsSelectable={false}
        disableKeyboardA11y
        zoomOnDoubleClick={false}
        proOptions={{ hideAttribution: true }}
      >
        <Background variant={BackgroundVariant.Dots} gap={20} size={1} className={css.dots} />
        <Tier />
        <ZoomButtons />
        {children}
      </ReactFlow>
    </PartsContext>
  );
}

/** Moves the camera to a box when it is off screen, and only then. */
function useShow(places: Placement, parents: ReadonlyMap<string, string | null>) {
  const { getViewport, setCenter } = useReactFlow();
  const width = useStore((state) => state.width);
  const height = useStore((state) => state.height);
  return useCallback(
    (id: string) => {
      const place = absolute(id, parents, places);
      const { x, y, zoom } = getViewport();
      const left = place.x * zoom + x;
      const top = place.y * zoom + y;
      const inside =
        left >= 0 && top >= 0 && left + place.width * zoom <= width && top + Math.min(place.height, 64) * zoom <= height;
      if (inside || width === 0) return;
      void setCenter(place.x + place.width / 2, place.y + Math.min(place.height, 64) / 2, { zoom, duration: 120 });
    },
    [places, parents, getViewport, setCenter, width, height],
  );
}

/** Tells the cards by an attribute how much of themselves fits: full above 0.6, some above 0.35, else the glyph. */
function Tier() {
  const tier = useStore((state) => (state.transform[2] > 0.6 ? 'full' : state.transform[2] > 0.35 ? 'some' : 'glyph'));
  const dom = useStore((state) => state.domNode);
  useEffect(() => {
    if (dom) dom.dataset.tier = tier;
  }, [dom, tier]);
  return null;
}

function ZoomButtons() {
  const { zoomIn, zoomOut, fitView } = useReactFlow();
  return (
    <Panel position="bottom-left" className={css.zoom}>
      <IconButton label="Zoom in" onClick={() => void zoomIn()}>
        <ZoomIn />
      </IconButton>
      <IconButton label="Zoom out" onClick={() => void zoomOut()}>
        <ZoomOut />
      </IconButton>
      <IconButton label="Show all" onClick={() => void fitView(FIT)}>
        <Maximize />
      </IconButton>
    </Panel>
  );
}
