import type { QueryClient } from '@tanstack/react-query';
import { meQuery } from '../api/me';
import type { Layout } from './types';

/*
 * Copies of what is not saved yet, in this browser: for when it crashes, or the network stays away. They lie on a shelf of one
 * person and one pipeline, so that who signs in next is not offered the work of somebody else; and each opened editor
 * has a copy of its own, so that neither a second tab nor a new change writes over what was left behind.
 */

export interface Content {
  text: string;
  layout: Layout;
}

export interface SafetyCopy extends Content {
  /** Of the opened editor that keeps it. */
  id: string;
  /** The draft that the changes were made on. */
  base: Content;
  etag: string;
  /** Milliseconds. */
  at: number;
}

const prefixOf = (shelf: string) => `unsaved:${shelf}:`;
const keyOf = (shelf: string, id: string) => `${prefixOf(shelf)}${id}`;

/** Where the copies of a person's changes of a pipeline lie. */
export function shelfOf(queryClient: QueryClient, address: string): string {
  return `${queryClient.getQueryData(meQuery.queryKey)?.username ?? ''}/${address}`;
}

/** False when the browser has no room, or keeps nothing. */
export function keepCopy(shelf: string, copy: SafetyCopy): boolean {
  try {
    localStorage.setItem(keyOf(shelf, copy.id), JSON.stringify(copy));
    return true;
  } catch {
    return false;
  }
}

export function dropCopy(shelf: string, id: string): void {
  localStorage.removeItem(keyOf(shelf, id));
}

/** All copies on a shelf, the newest first. What cannot be read is left out. */
export function copiesOf(shelf: string): SafetyCopy[] {
  return Object.keys(localStorage)
    .filter((key) => key.startsWith(prefixOf(shelf)))
    .flatMap((key) => readCopy(localStorage.getItem(key)))
    .sort((one, other) => other.at - one.at);
}

function readCopy(stored: string | null): SafetyCopy[] {
  try {
    const copy = JSON.parse(stored ?? '') as Partial<SafetyCopy> | null;
    const whole = [copy?.id, copy?.text, copy?.base?.text, copy?.etag].every((part) => typeof part === 'string');
    return whole ? [copy as SafetyCopy] : [];
  } catch {
    return [];
  }
}
