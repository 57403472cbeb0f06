import '@xyflow/react/dist/base.css';
import {
  Background,
  BackgroundVariant,
  BaseEdge,
  Panel,
  Position,
  ReactFlow,
  ReactFlowProvider,
  useReactFlow,
  useStore,
  useStoreApi,
  type Edge,
  type EdgeProps,
  type Node,
  type NodeHandle,
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
  useRef,
  useState,
  type ComponentType,
  type KeyboardEvent,
  type MouseEvent,
  type ReactNode,
  type RefObject,
} from 'react';
import { cx } from '../ui/cx';
import { absolute, CARD, FRAME, layoutFor, layoutIn, zoomIn, type Size } from '../graph/layout';
import { first, neighbour, type Direction } from '../graph/navigate';
import { labelSpot, pathOf } from '../graph/route';
import type { Drawing, Flow, Place, Placement, Places, Route } from '../graph/types';
import { IconButton } from '../ui/Button';
import css from './FlowCanvas.module.css';
import { MOST_CARDS, Overview, spotAt, spotsOf, type Paint } from './Overview';

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

const domId = (id: string) => `card-${id}`;

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
  return (
    <div id={domId(id)} className={css.node} data-active={active || undefined} data-flow={flow}>
      {children}
      <span className={cx(css.port, 'target')} data-handlepos={first} />
      <span className={cx(css.port, 'source')} data-handlepos={last} />
    </div>
  );
}

type LinkEdge = Edge<{ route: Route | undefined; flow: Flow }>;

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
const ZOOM = { least: 0.02, most: 1.75, fit: 1, readable: 0.38, legible: 0.62, near: 0.8 };
/** Up to so many boxes a drawing begins legible rather than whole. */
const FEW = 40;
/** Free space around a drawing that is shown whole. Pixels. */
const AROUND = 40;
/** Free space around a box that the camera was moved to. */
const SHOWN = 24;
const NONE: never[] = [];

function Canvas({ label, drawing, shape = 1.2, start, Card, Frame = NoFrame, selected, onSelect, paint }: Props) {
  const box = useFirstBox();
  const placement = useMemo(
    () => (start !== undefined && box !== null ? layoutIn(drawing, box, AROUND) : layoutFor(drawing, shape)),
    [drawing, shape, start, box],
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
        aria-activedescendant={active === null ? undefined : domId(active)}
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

/** How large the canvas was at first: later sizes, as when a panel opens, do not turn the drawing around. */
function useFirstBox(): Size | null {
  const width = useStore((state) => state.width);
  const height = useStore((state) => state.height);
  const [box, setBox] = useState<Size | null>(null);
  if (box === null && width > 0 && height > 0) setBox({ width, height });
  return box;
}

/**
 * Shows the whole drawing; when `anchor` is given and all of it would be too small to read, the part around the anchor;
 * when `start` is given and its words could not be read, that end of it.
 */
function useFit({ width: drawn, height: high, flow, places }: Placement) {
  const { setViewport } = useReactFlow();
  const store = useStoreApi();
  return useCallback(
    (anchor: Place | null, start?: 'begin' | 'end') => {
      const { width, height } = store.getState();
      const whole = zoomIn({ width: drawn, height: high }, { width, height }, AROUND);
      const near = anchor === null && start !== undefined && whole < ZOOM.legible;
      const zoom = Math.max(ZOOM.least, near ? ZOOM.near : anchor === null ? whole : Math.max(whole, ZOOM.readable));
      const spot = near ? endOf(places, flow, start) : (anchor ?? { x: 0, y: 0, width: drawn, height: high });
      return setViewport({
        x: offset(width, drawn * zoom, (spot.x + spot.width / 2) * zoom),
        y: offset(height, high * zoom, (spot.y + spot.height / 2) * zoom),
        zoom,
      });
    },
    [setViewport, store, drawn, high, flow, places],
  );
}

/** The first or the last of the outer boxes along the flow. */
function endOf(places: Places, flow: Flow, end: 'begin' | 'end'): Place {
  const along = ({ x, y, width, height }: Place) => {
    if (flow === 'right') return end === 'begin' ? -x : x + width;
    return end === 'begin' ? -y : y + height;
  };
  return [...places.values()].reduce((best, place) => (along(place) > along(best) ? place : best));
}

/** Fits again when the canvas changes its size, as when a panel opens, for as long as nobody moved the camera. */
function useRefit(begin: () => void, untouched: RefObject<boolean>) {
  const width = useStore((state) => state.width);
  const height = useStore((state) => state.height);
  const latest = useRef(begin);
  useEffect(() => {
    latest.current = begin;
  });
  useEffect(() => {
    if (width > 0 && untouched.current) latest.current();
  }, [width, height, untouched]);
}

/** Where a drawing of this length begins on a view, so that `center` is in its middle as far as there is more to see. */
function offset(view: number, length: number, center: number): number {
  if (length + 2 * AROUND <= view) return (view - length) / 2;
  return Math.min(AROUND, Math.max(view - AROUND - length, view / 2 - center));
}

/** Whether more cards are on screen than may be mounted. */
function useCrowded(spots: ReturnType<typeof spotsOf>): boolean {
  return useStore(({ transform: [left, top, zoom], width, height }) => {
    if (spots.length <= MOST_CARDS) return false;
    let seen = 0;
    for (const spot of spots) {
      const x = spot.x * zoom + left;
      const y = spot.y * zoom + top;
      if (x <= width && y <= height && x + spot.width * zoom >= 0 && y + spot.height * zoom >= 0) seen += 1;
      if (seen > MOST_CARDS) return true;
    }
    return false;
  });
}

/** Where the arrow keys stand: what was selected last, until they move on. */
function useCursor(selected: string | null): [string | null, (id: string | null) => void] {
  const [cursor, setCursor] = useState<{ at: string | null; selected: string | null }>({ at: selected, selected });
  const move = useCallback((id: string | null) => setCursor({ at: id, selected }), [selected]);
  return [cursor.selected === selected || selected === null ? cursor.at : selected, move];
}

/** Moves the camera by as little as brings a box into view; not at all when it is there. */
function useShow(places: Places, parents: ReadonlyMap<string, string | null>) {
  const { setViewport } = useReactFlow();
  const store = useStoreApi();
  return useCallback(
    (id: string) => {
      const { transform, width, height } = store.getState();
      if (width === 0) return;
      const [x, y, zoom] = transform;
      const place = absolute(id, parents, places);
      const dx = missing(place.x * zoom + x, Math.min(place.width, CARD.width) * zoom, width);
      const dy = missing(place.y * zoom + y, Math.min(place.height, CARD.height) * zoom, height);
      if (dx !== 0 || dy !== 0) void setViewport({ x: x + dx, y: y + dy, zoom }, { duration: 120 });
    },
    [places, parents, setViewport, store],
  );
}

/** By how much a stretch must move to lie inside of a view, with some space around. */
function missing(from: number, length: number, view: number): number {
  if (from < SHOWN) return SHOWN - from;
  return Math.min(0, view - SHOWN - from - length);
}

/** Tells the cards by an attribute how much of themselves fits, without drawing anything anew. */
function Tier() {
  const store = useStoreApi();
  useEffect(() => {
    const tell = () => {
      const { domNode, transform } = store.getState();
      if (!domNode) return;
      const zoom = transform[2];
      domNode.dataset.tier = tierOf(zoom);
      // In steps, so that a turn of the wheel does not style every card in every frame.
      domNode.style.setProperty('--zoom', String(Math.max(0.3, Math.round(zoom * 20) / 20)));
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

function ZoomButtons({ onFit, onZoom }: { onFit: () => void; onZoom: () => void }) {
  const { zoomIn, zoomOut } = useReactFlow();
  const zoom = (change: () => Promise<boolean>) => {
    onZoom();
    void change();
  };
  return (
    <Panel position="bottom-left" className={css.zoom}>
      <IconButton label="Zoom in" onClick={() => zoom(zoomIn)}>
        <ZoomIn />
      </IconButton>
      <IconButton label="Zoom out" onClick={() => zoom(zoomOut)}>
        <ZoomOut />
      </IconButton>
      <IconButton label="Show all" onClick={onFit}>
        <Maximize />
      </IconButton>
    </Panel>
  );
}
