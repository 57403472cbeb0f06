import { Panel } from '@xyflow/react';
import { BoxSelect, Maximize, ZoomIn, ZoomOut } from 'lucide-react';
import flowCss from '../../canvas/FlowCanvas.module.css';
import { IconButton } from '../../ui/Button';
import { useCanvas, useCanvasStore } from './state';
import type { CanvasCamera } from './useCamera';

const STEP = 1.2;

/** Zoom, and what a drag on empty canvas does. */
export function CanvasTools({ camera }: { camera: CanvasCamera }) {
  const canvas = useCanvasStore();
  const boxing = useCanvas((state) => state.boxing);
  return (
    <Panel position="bottom-left" className={flowCss.zoom}>
      <IconButton label="Zoom in" onClick={() => camera.zoomBy(STEP)}>
        <ZoomIn />
      </IconButton>
      <IconButton label="Zoom out" onClick={() => camera.zoomBy(1 / STEP)}>
        <ZoomOut />
      </IconButton>
      <IconButton label="Show all" onClick={camera.fit}>
        <Maximize />
      </IconButton>
      <IconButton label="Select by a box" pressed={boxing} onClick={() => canvas.setState({ boxing: !boxing })}>
        <BoxSelect />
      </IconButton>
    </Panel>
  );
}
