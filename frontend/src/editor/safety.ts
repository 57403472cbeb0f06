import type { Layout } from './types';

/*
 * A copy of what is not saved yet, in this browser: for when it crashes, or the network stays away. Its key holds the ETag of
 * the draft that it was made from, so that two tabs on different drafts do not write over each other.
 */

export interface Content {
  text: string;
  layout: Layout;
}

export interface SafetyCopy extends Content {
  /** The draft that the changes were made on. */
  base: Content;
  etag: string;
  /** Milliseconds. */
  at: number;
}

const prefixOf = (address: string) => `unsaved:${address}:`;
const keyOf = (address: string, etag: string) => `${prefixOf(address)}${etag}`;

/** False when the browser has no room, or keeps nothing. */
export function keepCopy(address: string, copy: SafetyCopy): boolean {
  try {
    localStorage.setItem(keyOf(address, copy.etag), JSON.stringify(copy));
    return true;
  } catch {
    return false;
  }
}

export function dropCopy(address: string, etag: string): void {
  localStorage.removeItem(keyOf(address, etag));
}

/** All copies of a pipeline, the newest first. What cannot be read is left out. */
export function copiesOf(address: string): SafetyCopy[] {
  return Object.keys(localStorage)
    .filter((key) => key.startsWith(prefixOf(address)))
    .flatMap((key) => readCopy(localStorage.getItem(key)))
    .sort((one, other) => other.at - one.at);
}

function readCopy(stored: string | null): SafetyCopy[] {
  try {
    const copy = JSON.parse(stored ?? '') as Partial<SafetyCopy> | null;
    const whole = typeof copy?.text === 'string' && typeof copy.base?.text === 'string' && typeof copy.etag === 'string';
    return whole ? [copy as SafetyCopy] : [];
  } catch {
    return [];
  }
}
