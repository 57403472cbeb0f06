import { Refused } from '../../types';
import { isSame } from '../values';
import { jsonOf, locate, type Path } from '../yaml/node';
import { treeOf } from '../yaml/tree';
import { applyChanges } from './change';
import { removeEntries } from './remove';

/* Whole tasks of a text: taking some away. */

/** A text without some entries of a mapping. The last one leaves `{}` behind. */
export function withoutTasks(text: string, path: Path, names: ReadonlySet<string>): string {
  const root = treeOf(text).root;
  const map = root && locate(root, path);
  if (map?.node.type !== 'map') return text;
  const staying = Object.entries(jsonOf(map.node) as object).filter(([name]) => !names.has(name));
  if (staying.length === 0) return applyChanges(text, [{ path, set: {} }]);
  const left = removeEntries(text, map, names);
  const again = treeOf(left).root;
  const read = again && locate(again, path);
  if (!read || !isSame(jsonOf(read.node), Object.fromEntries(staying))) {
    throw new Refused('These tasks are written in a way that cannot be removed here. Remove them in the YAML.');
  }
  return left;
}
