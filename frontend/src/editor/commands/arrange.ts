import { aligned, distributed, GRID, type Axis, type Side } from '../../graph/align';
import { AT_ONCE, layoutFar } from '../../graph/far';
import { layout } from '../../graph/layout';
import type { Drawing, Place, Placement } from '../../graph/types';
import { canvasOf } from '../canvas/state';
import { drawingsOf, tidied } from '../canvas/tidy';
import { counted } from '../canvas/words';
import { group, moveTasks, ungroup } from '../document/operations';
import type { EditorStore } from '../store';
import { Refused, type Doc, type Spot } from '../types';
import type { Command, Stage } from './types';

/** The tasks that are selected. */
export function chosenTasks({ store }: Pick<Stage, 'store'>): string[] {
  const { selection, doc } = store.getState();
  return [...selection].filter((id) => doc.model.tasks.has(id));
}

function sceneOf({ store }: Stage) {
  return canvasOf(store).getState().scene;
}

// --- tidy -------------------------------------------------------------------------------------------------

export const tidy: Command = {
  id: 'tidy',
  label: 'Tidy',
  group: 'Arrange',
  enabled: (stage) => sceneOf(stage) !== null && !stage.store.getState().readOnly,
  perform: (stage) => void tidyUp(stage.store, null),
};

export const tidySelection: Command = {
  id: 'tidy-selection',
  label: 'Tidy the selection',
  group: 'Arrange',
  enabled: (stage) => sceneOf(stage) !== null && chosenTasks(stage).length > 1,
  perform: (stage) => void tidyUp(stage.store, new Set(chosenTasks(stage))),
};

async function tidyUp(store: EditorStore, selection: ReadonlySet<string> | null): Promise<void> {
  const { scene } = canvasOf(store).getState();
  if (!scene) return;
  const { doc } = store.getState();
  const drawings = drawingsOf(scene, selection);
  const placements = await Promise.all(drawings.map(placed));
  if (store.getState().doc !== doc) {
    store.getState().refuse('The pipeline was changed while it was laid out: tidy again.');
    return;
  }
  const spots = Object.assign({}, ...placements.map((placement, at) => tidied(placement, drawings[at] ?? NO_DRAWING, scene, selection === null))) as Record<string, Spot>;
  store.getState().transact(selection === null ? 'Tidy' : `Tidy ${counted(selection.size, 'task')}`, (now) => moveTasks(now, spots));
  // After it has been drawn.
  setTimeout(() => canvasOf(store).getState().camera?.reveal(Object.keys(spots)));
}

const NO_DRAWING: Drawing = { boxes: [], links: [] };

function placed(drawing: Drawing): Promise<Placement> {
  return drawing.boxes.length > AT_ONCE ? layoutFar(drawing) : Promise.resolve(layout(drawing));
}

// --- align and distribute ---------------------------------------------------------------------------------

/** The places of the chosen tasks, which must be of one scope: their spots are measured from its corner. */
function chosenPlaces(stage: Stage): ReadonlyMap<string, Place> {
  const { tasks } = stage.store.getState().doc.model;
  const keys = chosenTasks(stage);
  const scopes = new Set(keys.map((key) => tasks.get(key)?.parent));
  if (scopes.size > 1) throw new Refused('The selected tasks are in different groups: choose tasks of one group.');
  const places = sceneOf(stage)?.places;
  return new Map(keys.flatMap((key) => { const place = places?.get(key); return place ? [[key, place]] : []; }));
}

function arranging(id: string, label: string, least: number, arrange: (places: ReadonlyMap<string, Place>) => Map<string, Spot>): Command {
  return {
    id,
    label,
    group: 'Arrange',
    enabled: (stage) => sceneOf(stage) !== null && chosenTasks(stage).length >= least,
    perform: (stage) => {
      stage.store.getState().transact(label, (doc) => moveTasks(doc, Object.fromEntries(arrange(chosenPlaces(stage)))));
    },
  };
}

const align = (side: Side, label: string) => arranging(`align-${side}`, label, 2, (places) => aligned(places, side));
const distribute = (axis: Axis, label: string) => arranging(`distribute-${axis}`, label, 3, (places) => distributed(places, axis));

export const ALIGNING: readonly Command[] = [
  align('left', 'Align left'),
  align('centre', 'Align centres'),
  align('right', 'Align right'),
  align('top', 'Align top'),
  align('middle', 'Align middles'),
  align('bottom', 'Align bottom'),
  distribute('across', 'Distribute across'),
  distribute('down', 'Distribute down'),
];

// --- move by keys -----------------------------------------------------------------------------------------

function nudge(key: string, word: string, dx: number, dy: number): Command {
  return {
    id: `move-${word}`,
    label: `Move ${word}`,
    group: 'Arrange',
    keys: [`Alt+Arrow${key}`],
    within: 'tasks',
    enabled: (stage) => chosenTasks(stage).length > 0,
    perform: (stage) => {
      const keys = chosenTasks(stage);
      const label = keys.length === 1 ? `Move ${keys[0] ?? ''}` : `Move ${counted(keys.length, 'task')}`;
      const change = (doc: Doc) => {
        const spots = keys.flatMap((each) => {
          const spot = doc.layout.tasks[each];
          return spot ? [[each, { x: spot.x + dx * GRID, y: spot.y + dy * GRID }]] : [];
        });
        return moveTasks(doc, Object.fromEntries(spots) as Record<string, Spot>);
      };
      stage.store.getState().transact(label, change, { mark: `move ${keys.join(' ')}` });
    },
  };
}

export const MOVING: readonly Command[] = [
  nudge('Left', 'left', -1, 0),
  nudge('Right', 'right', 1, 0),
  nudge('Up', 'up', 0, -1),
  nudge('Down', 'down', 0, 1),
];

// --- groups -----------------------------------------------------------------------------------------------

export const makeGroup: Command = {
  id: 'group',
  label: 'Group',
  group: 'Arrange',
  keys: ['Mod+G'],
  within: 'tasks',
  enabled: (stage) => chosenTasks(stage).length > 0,
  perform: (stage) => {
    const keys = chosenTasks(stage);
    stage.store.getState().transact(`Group ${counted(keys.length, 'task')}`, (doc) => group(doc, keys, 'group'));
  },
};

/** The selected task that holds others, when it is the only one selected. */
function chosenScope(stage: Stage): string | null {
  const [only, second] = chosenTasks(stage);
  return only !== undefined && second === undefined && stage.store.getState().doc.model.tasks.get(only)?.scope ? only : null;
}

export const dissolve: Command = {
  id: 'ungroup',
  label: 'Ungroup',
  group: 'Arrange',
  keys: ['Mod+Shift+G'],
  within: 'tasks',
  enabled: (stage) => chosenScope(stage) !== null,
  perform: (stage) => {
    const key = chosenScope(stage);
    if (key !== null) stage.store.getState().transact(`Ungroup ${key}`, (doc) => ungroup(doc, key));
  },
};

export const foldScope: Command = {
  id: 'fold',
  label: 'Fold or unfold',
  group: 'View',
  keys: ['F'],
  within: 'tasks',
  enabled: (stage) => chosenScope(stage) !== null,
  perform: (stage) => {
    const key = chosenScope(stage);
    const { fold, folded } = stage.store.getState();
    if (key !== null) fold(key, !folded.has(key));
  },
};
