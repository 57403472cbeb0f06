import { client, dataOf } from './client';
import { addressOf } from './pipelines';
import type { Paused, PauseWish, Pipeline, Run } from './types';

/** Whether a pause holds now; one whose end has come holds nothing any more. `now` in milliseconds. */
export function holds({ paused_at, paused_until }: Paused, now: number): boolean {
  return paused_at !== null && (paused_until === null || Date.parse(paused_until) > now);
}

export const pauseRun = (run: Run, body: PauseWish) =>
  dataOf(client.POST('/api/v1/runs/{id}/pause/', { params: { path: { id: run.id } }, body }));
export const unpauseRun = (run: Run) => dataOf(client.POST('/api/v1/runs/{id}/unpause/', { params: { path: { id: run.id } } }));

export const pausePipeline = (pipeline: Pipeline, body: PauseWish) =>
  dataOf(client.POST('/api/v1/pipelines/{name}/pause/', { params: { path: { name: addressOf(pipeline) } }, body }));
export const unpausePipeline = (pipeline: Pipeline) =>
  dataOf(client.POST('/api/v1/pipelines/{name}/unpause/', { params: { path: { name: addressOf(pipeline) } } }));
