import '@xyflow/react/dist/base.css';
import {
  Background,
  BackgroundVariant,
  BaseEdge,
  Position,
  ReactFlow,
  ReactFlowProvider,
  useReactFlow,
  type Edge,
  type EdgeProps,
  type Node,
  type NodeHandle,
  type NodeProps,
} from '@xyflow/react';
import {
  createContext,
  memo,
  use,
  useCallback,
  useEffect,
  useMemo,
  useRef,
  useState,
  type ComponentType,
  type KeyboardEvent,
  type MouseEvent,
  type ReactNode,
} from 'react';
import { cx } from '../ui/cx';
import { AT_ONCE } from '../graph/far';
import { absolute, FRAME, layoutFor, layoutIn } from '../graph/layout';
import { first, neighbour, type Direction } from '../graph/navigate';
import { labelSpot, pathOf } from '../graph/route';
import type { Drawing, Flow, Place, Placement, Route } from '../graph/types';
import { useActiveDescendant } from './activeDescendant';
import { AROUND, useCrowded, useFirstBox, useFit, useRefit, useShow, ZOOM } from './camera';
import css from './FlowCanvas.module.css';
import { LayingOut } from './LayingOut';
import { Overview } from './Overview';
import { spotAt, spotsOf, type Paint } from './picture';
import { Tier } from './Tier';
import { useFarPlacement } from './useFarPlacement';
import { ZoomButtons } from './ZoomButtons';

export interface CardProps {
  id: string;
  selected: boolean;
}

interface Parts {
  Card: ComponentType<CardProps>;
  Frame: ComponentType<CardProps>;
  active: string | null;
  selected: string | null;
  flow: Flow;
}

const PartsContext = createContext<Parts | null>(null);

function useParts(): Parts {
  const parts = use(PartsContext);
  if (!parts) throw new Error('A card is drawn on a FlowCanvas.');
  return parts;
}

const CardNode = memo(function CardNode({ id }: NodeProps) {
  const { Card, active, selected } = useParts();
  return (
    <Ported id={id} active={active === id}>
      <Card id={id} selected={selected === id} />
    </Ported>
  );
});

const FrameNode = memo(function FrameNode({ id }: NodeProps) {
  const { Frame, active, selected } = useParts();
  return (
    <Ported id={id} active={active === id}>
      <Frame id={id} selected={selected === id} />
    </Ported>
  );
});

/**
 * Ports are only drawn, as nothing is linked here and a real Handle listens to every move of the camera. The class and
 * attribute are those by which React Flow finds a port when it measures a node.
 */
function Ported({ id, active, children }: { id: string; active: boolean; children: ReactNode }) {
  const { flow } = useParts();
  const [first, last] = SIDES[flow];
  const card = useActiveDescendant(active);
  return (
    <div ref={card} id={`card-${id}`} className={css.node} data-active={active || undefined} data-flow={flow}>
      {children}
      <span className={cx(css.port, 'target')} data-handlepos={first} />
      <span className={cx(css.port, 'source')} data-handlepos={last} />
    </div>
  );
}

type LinkEdge = Edge<{ route: Route | undefined; flow: Flow }>;
const LOOKS = { added: css.added, removed: css.removed };

const LinkLine = memo(function LinkLine({ sourceX, sourceY, targetX, targetY, data, label }: EdgeProps<LinkEdge>) {
  const from = { x: sourceX, y: sourceY };
  const to = { x: targetX, y: targetY };
  const flow = data?.flow ?? 'right';
  const spot = labelSpot(flow, from, data?.route, to);
  return (
    <BaseEdge
      path={pathOf(flow, from, data?.route, to)}
      label={label}
      labelX={spot.x}
      labelY={spot.y}
      labelBgPadding={[4, 2]}
      labelBgBorderRadius={4}
    />
  );
});

const NODE_TYPES = { card: CardNode, frame: FrameNode };
const EDGE_TYPES = { link: LinkLine };
const SIDES = { right: [Position.Left, Position.Right], down: [Position.Top, Position.Bottom] } as const;
const PORT = 10;

/** Sizes and handles are given, so that nothing waits to be measured and what is off screen is never mounted. */
function nodesOf(drawing: Drawing, { places, flow }: Placement): Node[] {
  const parents = new Map(drawing.boxes.map((box) => [box.id, box.parent]));
  const depthOf = (id: string | null): number => (id === null ? 0 : depthOf(parents.get(id) ?? null) + 1);
  const outerFirst = drawing.boxes
    .map((box) => ({ box, depth: depthOf(box.parent) }))
    .sort((a, b) => a.depth - b.depth);
  return outerFirst.map(({ box }) => {
    const place = places.get(box.id) ?? { x: 0, y: 0, width: 0, height: 0 };
    return {
      id: box.id,
      type: box.frame ? 'frame' : 'card',
      position: { x: place.x, y: place.y },
      ...(box.parent === null ? {} : { parentId: box.parent }),
      data: {},
      width: place.width,
      height: place.height,
      measured: { width: place.width, height: place.height },
      handles: handlesOf(box.frame, place, flow),
      zIndex: box.frame ? -1 : 0,
    };
  });
}

/** Ports in the middle of a card's sides; beside the head of a frame. */
function handlesOf(frame: boolean, place: Place, flow: Flow): NodeHandle[] {
  const size = { width: PORT, height: PORT };
  const [first, last] = SIDES[flow];
  if (flow === 'down') {
    const x = place.width / 2 - PORT / 2;
    return [
      { type: 'target', position: first, x, y: -PORT / 2, ...size },
      { type: 'source', position: last, x, y: place.height - PORT / 2, ...size },
    ];
  }
  const y = (frame ? FRAME.top / 2 : place.height / 2) - PORT / 2;
  return [
    { type: 'target', position: first, x: -PORT / 2, y, ...size },
    { type: 'source', position: last, x: place.width - PORT / 2, y, ...size },
  ];
}

function edgesOf(drawing: Drawing, { routes, flow }: Placement): LinkEdge[] {
  return drawing.links.map((link) => ({
    id: link.id,
    type: 'link',
    source: link.from,
    target: link.to,
    data: { route: routes.get(link.id), flow },
    ...(link.label ? { label: link.label } : {}),
    ...(link.look ? { className: LOOKS[link.look] } : {}),
    focusable: false,
    zIndex: 0,
  }));
}

interface Props {
  /** Accessible name: "Graph of run 812". */
  label: string;
  drawing: Drawing;
  /** Width / height of the canvas, roughly: decides whether the drawing flows right or down. */
  shape?: number;
  /** Where the boxes stand, when somebody drew them; they are laid out when nobody did. */
  drawn?: Placement | null;
  /**
   * For a drawing beside others on a page: its flow is chosen for the box it stands in, and a small drawing that would be too
   * small to read begins at this end of it, large, instead of whole.
   */
  start?: 'begin' | 'end';
  Card: ComponentType<CardProps>;
  Frame?: ComponentType<CardProps>;
  selected: string | null;
  onSelect: (id: string | null) => void;
  /** States for the overview of a large drawing. */
  paint?: Paint;
}

const NoFrame = () => null;

/**
 * The shared canvas: pipelines, runs and traces are drawn on it. One tab stop; arrows go from card to card,
 * Enter opens, Escape lets go. What a card shows is its own business: the node list never changes with states.
 */
export function FlowCanvas(props: Props) {
  const { drawing, drawn = null } = props;
  const far = drawn === null && drawing.boxes.length > AT_ONCE;
  const placement = useFarPlacement(far ? drawing : null);
  if (far && placement === null) return <LayingOut count={drawing.boxes.length} />;
  return (
    <ReactFlowProvider>
      <Canvas {...props} given={drawn ?? (far ? placement : null)} />
    </ReactFlowProvider>
  );
}

const KEYS: Record<string, Direction> = {
  ArrowLeft: 'left',
  ArrowRight: 'right',
  ArrowUp: 'up',
  ArrowDown: 'down',
};
/** Up to so many boxes a drawing begins legible rather than whole. */
const FEW = 40;
const NONE: never[] = [];

interface CanvasProps extends Props {
  /** Where the boxes of a large or a drawn drawing stand; others are laid out here, for the box that the canvas has. */
  given: Placement | null;
}

function Canvas({ label, drawing, shape = 1.2, start, Card, Frame = NoFrame, selected, onSelect, paint, given }: CanvasProps) {
  const box = useFirstBox();
  const placement = useMemo(
    () => given ?? (start !== undefined && box !== null ? layoutIn(drawing, box, AROUND) : layoutFor(drawing, shape)),
    [given, drawing, shape, start, box],
  );
  const { places, flow } = placement;
  const nodes = useMemo(() => nodesOf(drawing, placement), [drawing, placement]);
  const edges = useMemo(() => edgesOf(drawing, placement), [drawing, placement]);
  const parents = useMemo(() => new Map(drawing.boxes.map((box) => [box.id, box.parent])), [drawing]);
  const [active, setActive] = useCursor(selected);
  const show = useShow(places, parents);
  const { screenToFlowPosition } = useReactFlow();
  const fit = useFit(placement);
  const spots = useMemo(() => spotsOf(drawing, placement), [drawing, placement]);
  const crowded = useCrowded(spots);

  const onPaneClick = (event: MouseEvent) => {
    const { x, y } = screenToFlowPosition({ x: event.clientX, y: event.clientY });
    onSelect(crowded ? (spotAt(spots, x, y)?.id ?? null) : null);
  };
  const untouched = useRef(true);
  const begin = useCallback(() => {
    if (selected !== null && places.has(selected)) void fit(absolute(selected, parents, places));
    else void fit(null, places.size <= FEW ? start : undefined);
  }, [fit, selected, parents, places, start]);
  useRefit(begin, untouched);

  useEffect(() => {
    if (selected !== null && places.has(selected)) show(selected);
  }, [selected, places, show]);

  const onKeyDown = useCallback(
    (event: KeyboardEvent) => {
      if (event.target !== event.currentTarget) return;
      const direction = KEYS[event.key];
      if (direction && !event.altKey && !event.ctrlKey && !event.metaKey) {
        const next = active === null ? first(drawing, placement) : neighbour(drawing, placement, active, direction);
        if (next !== null) {
          setActive(next);
          show(next);
        }
      } else if ((event.key === 'Enter' || event.key === ' ') && active !== null) onSelect(active);
      else if (event.key === 'Escape') onSelect(null);
      else if (event.key === '0') void fit(null);
      else return;
      event.preventDefault();
    },
    [active, setActive, drawing, placement, show, onSelect, fit],
  );

  const parts = useMemo(() => ({ Card, Frame, active, selected, flow }), [Card, Frame, active, selected, flow]);
  return (
    <PartsContext value={parts}>
      <ReactFlow
        className={css.canvas}
        nodes={crowded ? NONE : nodes}
        edges={crowded ? NONE : edges}
        nodeTypes={NODE_TYPES}
        edgeTypes={EDGE_TYPES}
        tabIndex={0}
        aria-label={`${label}. Arrow keys go from card to card, Enter opens one, 0 shows all.`}
        onKeyDown={onKeyDown}
        onFocus={(event) => {
          if (event.target === event.currentTarget && active === null) setActive(first(drawing, placement));
        }}
        onNodeClick={(event, node) => {
          setActive(node.id);
          onSelect(node.id);
          event.currentTarget.closest<HTMLElement>('.react-flow')?.focus({ preventScroll: true });
        }}
        onPaneClick={onPaneClick}
        onInit={begin}
        onMove={(event) => {
          // A move without an event is ours.
          if (event !== null) untouched.current = false;
        }}
        minZoom={ZOOM.least}
        maxZoom={ZOOM.most}
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
        <ZoomButtons
          onZoom={() => {
            untouched.current = false;
          }}
          onFit={() => {
            untouched.current = true;
            void fit(null);
          }}
        />
        {crowded && <Overview spots={spots} drawing={drawing} paint={paint ?? null} selected={selected} />}
      </ReactFlow>
    </PartsContext>
  );
}

/** Where the arrow keys stand: what was selected last, until they move on. */
function useCursor(selected: string | null): [string | null, (id: string | null) => void] {
  const [cursor, setCursor] = useState<{ at: string | null; selected: string | null }>({ at: selected, selected });
  const move = useCallback((id: string | null) => setCursor({ at: id, selected }), [selected]);
  return [cursor.selected === selected || selected === null ? cursor.at : selected, move];
}
