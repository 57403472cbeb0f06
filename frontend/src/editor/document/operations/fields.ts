import type { Doc, Edit, Json, JsonMap } from '../../types';
import { applyChanges, type Change } from '../splice/change';
import { isMap, isSame, valueAt } from '../values';
import type { Path } from '../yaml/node';
import { needReadable, pathOf, pathOfPlace, taskAt, type Place } from './common';

/** Another value at a place of a task, `with.rate` for example; without one it goes, with what it leaves empty. */
export function setField(doc: Doc, key: string, place: Place, value: Json | undefined): Edit {
  needReadable(doc);
  return { text: changed(doc.text, pathOf(doc.model, key), taskAt(doc.model, key).raw, pathOfPlace(place), value) };
}

/** Another value at a place of the document itself: `title`, `parameters.rate.default`. */
export function setHead(doc: Doc, place: Place, value: Json | undefined): Edit {
  needReadable(doc);
  return { text: changed(doc.text, [], doc.model.head, pathOfPlace(place), value) };
}

/** The condition of a task; none when empty. */
export function setWhen(doc: Doc, key: string, condition: string): Edit {
  return setField(doc, key, 'when', condition.trim() === '' ? undefined : condition);
}

function changed(text: string, base: Path, values: JsonMap, path: Path, value: Json | undefined): string {
  const old = valueAt(values, path);
  if (value !== undefined) return isSame(old, value) ? text : applyChanges(text, [{ path: [...base, ...path], set: value }]);
  return old === undefined ? text : applyChanges(text, [{ path: [...base, ...pruned(values, path)], remove: true }]);
}

/** The path of the outermost value that would be empty without the one at `path`. */
export function pruned(values: Json, path: Path): Path {
  let shortest = path;
  while (shortest.length > 1 && sizeOf(valueAt(values, shortest.slice(0, -1))) === 1) shortest = shortest.slice(0, -1);
  return shortest;
}

function sizeOf(value: Json | undefined): number {
  if (Array.isArray(value)) return value.length;
  return isMap(value) ? Object.keys(value).length : 0;
}

/** Changes below a task, as changes of the document. */
export function below(base: Path, changes: readonly Change[]): Change[] {
  return changes.map((change) => ({ ...change, path: [...base, ...change.path] }));
}
