import type { Block, Catalogue, JsonMap, KindInfo, Ports } from '../types';
import { ofSignature } from '../ports';

/* Everything that can be added: the blocks of code locations and the built-in kinds. Pure. */

export interface PaletteEntry {
  /** `block digits:train` or `kind shell`; stable. */
  readonly id: string;
  readonly title: string;
  /** The module of a block; empty for a kind. */
  readonly origin: string;
  readonly description: string;
  /** Further words by which it is found. */
  readonly tags: readonly string[];
  readonly category: string;
  /** The icon. */
  readonly kind: string;
  /** What a task of it is called when nobody has a better idea. */
  readonly name: string;
  readonly entry: JsonMap;
  readonly ports: Ports;
  /** The code location that the document has to name; null for a kind. */
  readonly location: string | null;
}

/** By category: the blocks of each module, then the kinds that this installation carries out. */
export function entriesOf({ blocks, kinds }: Catalogue): PaletteEntry[] {
  const usable = [...blocks.values()].filter(({ problem }) => problem === '');
  const carried = [...kinds.values()].filter(({ available }) => available);
  return [...usable.map(ofBlock), ...carried.map(ofBuiltIn)];
}

function ofBlock(block: Block): PaletteEntry {
  const module = block.id.split(':', 1)[0] ?? '';
  return {
    id: `block ${block.id}`,
    title: block.name,
    origin: module,
    description: block.doc,
    tags: [module, block.location, 'block'],
    category: `${block.location} · ${module}`,
    kind: 'python',
    name: block.name,
    entry: { kind: 'python', run: block.id },
    ports: ofSignature(block),
    location: block.location,
  };
}

function ofBuiltIn({ name, title, description, category, starter, ports }: KindInfo): PaletteEntry {
  return {
    id: `kind ${name}`,
    title,
    origin: '',
    description,
    tags: [name, category, 'kind'],
    category,
    kind: name,
    name,
    entry: starter,
    ports,
    location: null,
  };
}
