import '@xyflow/react/dist/base.css';
import { Background, BackgroundVariant, ReactFlow, ReactFlowProvider, SelectionMode, useKeyPress, useReactFlow } from '@xyflow/react';
import { CornerDownRight } from 'lucide-react';
import { useCallback, useEffect, useMemo, useRef, type DragEvent, type KeyboardEvent, type MouseEvent } from 'react';
import { useCrowded } from '../../canvas/camera';
import flowCss from '../../canvas/FlowCanvas.module.css';
import { LayingOut } from '../../canvas/LayingOut';
import { MiniMap } from '../../canvas/MiniMap';
import { Overview } from '../../canvas/Overview';
import { spotAt, spotsOf } from '../../canvas/picture';
import { Tier } from '../../canvas/Tier';
import { GRID } from '../../graph/align';
import { Button } from '../../ui/Button';
import { cx } from '../../ui/cx';
import { addEntry, ENTRY_TYPE, type Entry } from '../adding';
import type { Camera } from '../commands/types';
import { copied, cut, pasted } from '../clipboard';
import { goToProblem, requestJump, useJump } from '../jump';
import { useEditor, useEditorStore, type EditorStore } from '../store';
import type { Problem } from '../types';
import { unreadable } from '../unreadable';
import { CanvasTools } from './CanvasTools';
import { Card, Frame } from './Card';
import css from './EditorCanvas.module.css';
import { onCanvasKey, stand } from './keyboard';
import { LinkLayer } from './LinkLayer';
import { LinkLine } from './LinkLine';
import { NoteCard } from './NoteCard';
import type { Scene } from './scene';
import { cornerOf, scopeAt } from './spots';
import { useCanvas, useCanvasStore } from './state';
import { useCamera, useHandedOver, useRefitted, type CanvasCamera } from './useCamera';
import { useBeginByPointer } from './useLinking';
import { useNodes } from './useNodes';
import { useScene } from './useScene';

interface Props {
  /** Is given the camera while the canvas is shown, null afterwards. */
  onCamera?: (camera: Camera | null) => void;
}

const NODE_TYPES = { card: Card, frame: Frame, note: NoteCard };
const EDGE_TYPES = { link: LinkLine };
const SNAP: [number, number] = [GRID, GRID];
const FURTHER = ['Shift', 'Meta', 'Control'];
/** Fewer than on other canvases: cards with ports take longer to mount, and the camera must not wait for them. */
const MOST_CARDS = 140;
const NONE: never[] = [];

/** The pipeline to be drawn upon: one tab stop, everything that the pointer does can be done by keys. */
export function EditorCanvas({ onCamera }: Props) {
  const scene = useScene();
  const count = useEditor((state) => state.doc.model.tasks.size);
  if (!scene) return <LayingOut count={count} />;
  return (
    <ReactFlowProvider>
      <Canvas scene={scene} onCamera={onCamera} />
    </ReactFlowProvider>
  );
}

function Canvas({ scene, onCamera }: { scene: Scene; onCamera: Props['onCamera'] }) {
  const store = useEditorStore();
  const canvas = useCanvasStore();
  const readOnly = useEditor((state) => state.readOnly);
  const active = useCanvas((state) => state.active);
  const mode = useCanvas((state) => state.boxing);
  // With React Flow's own key for it, a click on a card would begin a box too.
  const boxing = useKeyPress('Shift') || mode;
  const linking = useCanvas(({ linking }) => linking !== null);
  const camera = useCamera();
  useHandedOver(camera, onCamera);
  const untouched = useRef(true);
  useRefitted(camera, untouched);
  useShownJump(camera);
  useClipboard(camera);
  useCursor();
  const { nodes, edges, onNodesChange, onEdgesChange, drop } = useNodes(scene);
  const spots = useMemo(() => spotsOf(scene.drawing, scene), [scene]);
  const crowded = useCrowded(spots, MOST_CARDS);
  const begin = useBeginByPointer();
  const { screenToFlowPosition } = useReactFlow();

  const onKeyDown = useCallback(
    (event: KeyboardEvent) => {
      if (event.target !== event.currentTarget || !onCanvasKey(event, store, (key) => camera.reveal([key]))) return;
      event.preventDefault();
      event.stopPropagation();
    },
    [store, camera],
  );
  const onPaneClick = (event: MouseEvent) => {
    if (!crowded) return;
    const { x, y } = screenToFlowPosition({ x: event.clientX, y: event.clientY });
    const spot = spotAt(spots, x, y);
    if (spot) stand(store, spot.id, event.shiftKey);
  };
  return (
    <div className={css.stage} data-tasks data-linking={linking || undefined}>
      <ReactFlow
        className={cx(flowCss.canvas, css.canvas)}
        nodes={crowded ? NONE : nodes}
        edges={crowded ? NONE : edges}
        nodeTypes={NODE_TYPES}
        edgeTypes={EDGE_TYPES}
        onNodesChange={onNodesChange}
        onEdgesChange={onEdgesChange}
        onNodeClick={(event, node) => {
          canvas.setState({ active: node.id });
          // React Flow leaves a selection of several as it is when one of them is clicked.
          if (!event.shiftKey && !event.metaKey && !event.ctrlKey) store.getState().select([node.id]);
          focusOn(event.currentTarget);
        }}
        onNodeDoubleClick={(_, { id, type }) => {
          if (type === 'note') canvas.setState({ writing: id });
          else requestJump({ key: id, place: '' });
        }}
        onNodeDragStop={drop}
        onSelectionDragStop={drop}
        onPaneClick={onPaneClick}
        onPointerDown={begin}
        onDragOver={onDragOver}
        onDrop={useDropped()}
        onInit={camera.begin}
        onMove={(event) => {
          // A move without an event is ours.
          if (event !== null) untouched.current = false;
        }}
        tabIndex={0}
        aria-label="Pipeline canvas"
        aria-describedby="canvas-keys"
        onKeyDown={onKeyDown}
        minZoom={0.02}
        maxZoom={1.75}
        onlyRenderVisibleElements
        nodesDraggable={!readOnly}
        nodeDragThreshold={3}
        nodesConnectable={false}
        nodesFocusable={false}
        edgesFocusable={false}
        elementsSelectable
        selectionMode={SelectionMode.Partial}
        selectionOnDrag={boxing}
        panOnDrag={!boxing}
        selectionKeyCode={null}
        multiSelectionKeyCode={FURTHER}
        deleteKeyCode={null}
        snapToGrid
        snapGrid={SNAP}
        disableKeyboardA11y
        zoomOnDoubleClick={false}
        proOptions={{ hideAttribution: true }}
      >
        <Background variant={BackgroundVariant.Dots} gap={24} size={1} className={flowCss.dots} />
        <Tier />
        <CanvasTools camera={camera} />
        {spots.length > 0 && <MiniMap spots={spots} drawing={scene.drawing} onMove={camera.moveTo} />}
        {crowded && <Overview spots={spots} drawing={scene.drawing} paint={null} selected={active} />}
      </ReactFlow>
      <LinkLayer />
      <p id="canvas-keys" className="visually-hidden">
        Arrow keys go from task to task, Enter opens the form, C links, Delete removes, slash adds, Alt and arrows move.
      </p>
      {scene.cards.length === 0 && <Empty />}
    </div>
  );
}

function focusOn(element: Element): void {
  element.closest<HTMLElement>('.react-flow')?.focus({ preventScroll: true });
}

function Empty() {
  const unread = useEditor(({ doc }) => unreadable(doc));
  if (unread) return <Unreadable problem={unread} />;
  return (
    <p className={css.empty}>
      No tasks yet. Drag one in from the palette, or press <kbd>/</kbd> to add one.
    </p>
  );
}

/** A draft that cannot be read is not empty: says what is wrong, and leads there. */
function Unreadable({ problem }: { problem: Problem }) {
  const store = useEditorStore();
  return (
    <div className={cx(css.empty, css.unread)}>
      <p>The YAML cannot be read, so there is nothing to draw yet.</p>
      <p>
        <strong>Line {problem.line}:</strong> {problem.message}
      </p>
      <Button icon={<CornerDownRight />} onClick={() => goToProblem(store, problem)}>
        Go to line {problem.line}
      </Button>
    </div>
  );
}

function onDragOver(event: DragEvent): void {
  if (!event.dataTransfer.types.includes(ENTRY_TYPE)) return;
  event.preventDefault();
  event.dataTransfer.dropEffect = 'copy';
}

/** What is dragged in from the palette stands where it is dropped, in the scope whose frame is there. */
function useDropped() {
  const store = useEditorStore();
  const canvas = useCanvasStore();
  const { screenToFlowPosition } = useReactFlow();
  return useCallback(
    (event: DragEvent) => {
      const carried = event.dataTransfer.getData(ENTRY_TYPE);
      const { scene } = canvas.getState();
      if (carried === '' || !scene) return;
      event.preventDefault();
      const point = { x: event.clientX, y: event.clientY };
      const { doc, folded } = store.getState();
      const at = screenToFlowPosition(point);
      const { scope } = scopeAt(at, doc.model, scene.places, folded);
      const { spot } = scopeAt(cornerOf(at), doc.model, scene.places, folded);
      addEntry(store, JSON.parse(carried) as Entry, { point, scope, spot, from: null, to: null, replaces: null });
      focusOn(event.currentTarget);
    },
    [store, canvas, screenToFlowPosition],
  );
}

/** Where something else selects (undo, paste, outline), the arrow keys go on from there. */
function useCursor(): void {
  const store = useEditorStore();
  const canvas = useCanvasStore();
  useEffect(
    () =>
      store.subscribe(({ selection, doc }, { selection: before }) => {
        if (selection === before || [...selection].some((id) => before.has(id))) return;
        const chosen = [...selection].filter((id) => doc.model.tasks.has(id) || id in doc.layout.notes);
        const active = chosen.at(-1);
        if (active === undefined) return;
        canvas.setState({ active });
        // After what was added has been drawn.
        if (chosen.length > 1) setTimeout(() => canvas.getState().camera?.reveal(chosen));
      }),
    [store, canvas],
  );
}

/** Copy, cut and paste while the canvas has the focus. The browser tells the page, not the canvas, as nothing there is typed. */
function useClipboard(camera: CanvasCamera): void {
  const store = useEditorStore();
  useEffect(() => {
    const isOurs = () => document.activeElement?.matches('[data-tasks] .react-flow') === true;
    const give = (event: ClipboardEvent, read: (store: EditorStore) => string | null) => {
      const text = isOurs() ? read(store) : null;
      if (text === null) return;
      event.clipboardData?.setData('text/plain', text);
      event.preventDefault();
    };
    const onCopy = (event: ClipboardEvent) => give(event, copied);
    const onCut = (event: ClipboardEvent) => give(event, cut);
    const onPaste = (event: ClipboardEvent) => {
      if (!isOurs()) return;
      event.preventDefault();
      pasted(store, event.clipboardData?.getData('text/plain') ?? '', camera.centre());
    };
    document.addEventListener('copy', onCopy);
    document.addEventListener('cut', onCut);
    document.addEventListener('paste', onPaste);
    return () => {
      document.removeEventListener('copy', onCopy);
      document.removeEventListener('cut', onCut);
      document.removeEventListener('paste', onPaste);
    };
  }, [store, camera]);
}

/** A jump to a task brings it into view, out of the scopes that are folded around it. */
function useShownJump(camera: CanvasCamera): void {
  const store = useEditorStore();
  const canvas = useCanvasStore();
  useJump(({ key }) => {
    const { doc, fold, folded } = store.getState();
    if (key === null || !doc.model.tasks.has(key)) return;
    for (let at = doc.model.tasks.get(key)?.parent ?? null; at !== null; at = doc.model.tasks.get(at)?.parent ?? null) {
      if (folded.has(at)) fold(at, false);
    }
    canvas.setState({ active: key });
  });
  const active = useCanvas((state) => state.active);
  useEffect(() => {
    if (active !== null) camera.reveal([active]);
  }, [active, camera]);
}
