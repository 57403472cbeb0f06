import type { QueryClient } from '@tanstack/react-query';
import { getDraft, publishDraft, putDraft } from '../../api/drafts';
import { newKey } from '../../api/newKey';
import { newestVersion, versionQuery } from '../../api/pipelines';
import type { Draft, PublishedVersion, Version } from '../../api/types';
import { keepCopy, shelfOf } from '../safety';
import { readLayout } from '../storedLayout';

export const messageOf = (number: number) => `Restores version ${number}`;

/**
 * Makes the newest version equal to an older one, by way of the draft. Changes in the draft that no version has are kept by
 * this browser, and the editor offers them. Problem 412 when somebody saves the draft at the same time.
 */
export async function restoreOnServer(address: string, version: Version, queryClient: QueryClient): Promise<PublishedVersion> {
  const draft = await getDraft(address);
  const saved = await putDraft(address, version.text, version.layout, draft.etag);
  if (await isUnpublished(address, draft, queryClient)) setAside(shelfOf(queryClient, address), draft, saved);
  return publishDraft(address, messageOf(version.number), true, saved.etag);
}

async function isUnpublished(address: string, draft: Draft, queryClient: QueryClient): Promise<boolean> {
  const number = await newestVersion(address);
  if (number === null) return draft.document !== '';
  const newest = await queryClient.query(versionQuery(address, number));
  return newest.text !== draft.document;
}

function setAside(shelf: string, draft: Draft, saved: Draft): void {
  const base = { text: saved.document, layout: readLayout(saved.layout) };
  keepCopy(shelf, { id: newKey(), text: draft.document, layout: readLayout(draft.layout), base, etag: saved.etag, at: Date.now() });
}
