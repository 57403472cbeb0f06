import { chosenTasks } from './arrange';
import type { Camera, Command } from './types';

const STEP = 1.2;

function moving(id: string, label: string, keys: readonly string[], move: (camera: Camera) => void): Command {
  return {
    id,
    label,
    group: 'View',
    keys,
    within: 'tasks',
    enabled: ({ camera }) => camera !== null,
    perform: ({ camera }) => {
      if (camera) move(camera);
    },
  };
}

export const fit = moving('fit', 'Fit', ['0'], (camera) => camera.fit());
export const zoomIn = moving('zoom-in', 'Zoom in', ['+', '='], (camera) => camera.zoomBy(STEP));
export const zoomOut = moving('zoom-out', 'Zoom out', ['-'], (camera) => camera.zoomBy(1 / STEP));

export const zoomToSelection: Command = {
  id: 'zoom-selection',
  label: 'Zoom to the selection',
  group: 'View',
  keys: ['.'],
  within: 'tasks',
  enabled: (stage) => stage.camera !== null && chosenTasks(stage).length > 0,
  perform: (stage) => stage.camera?.show(chosenTasks(stage)),
};
