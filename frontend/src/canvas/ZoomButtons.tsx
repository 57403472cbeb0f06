import { Panel, useReactFlow } from '@xyflow/react';
import { Maximize, ZoomIn, ZoomOut } from 'lucide-react';
import { IconButton } from '../ui/Button';
import css from './FlowCanvas.module.css';

export function ZoomButtons({ onFit, onZoom }: { onFit: () => void; onZoom: () => void }) {
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
