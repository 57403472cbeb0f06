import type { Problem } from '../../types';
import { readInChunks } from './chunks';
import type { Located } from './node';
import { parseYaml } from './parse';

/** The values of a text. `root` is null when nothing can be drawn. */
export interface Tree {
  readonly root: Located | null;
  readonly problems: readonly Problem[];
}

const MARK = '\ufeff';
const KEPT = 8;
const recent = new Map<string, Tree>();

/** Never throws. The last few texts are remembered. */
export function treeOf(text: string): Tree {
  const known = recent.get(text);
  if (known) return known;
  const tree = readTree(text);
  recent.set(text, tree);
  const [oldest] = recent.keys();
  if (recent.size > KEPT && oldest !== undefined) recent.delete(oldest);
  return tree;
}

function readTree(text: string): Tree {
  const offset = text.startsWith(MARK) ? MARK.length : 0;
  const body = text.slice(offset);
  const chunks = readInChunks(body);
  if (chunks) return { root: { node: chunks, offset, entry: null }, problems: [] };
  const { root, problems } = parseYaml(body);
  return { root: root && { node: root, offset, entry: null }, problems };
}
