import type { TraceNode } from '../api/types';

export const TYPE_WORDS: Record<TraceNode['type'], string> = {
  deployment: 'deployment',
  model_version: 'model version',
  artifact: 'data',
  record: 'task',
};

/** A record's job is "pipeline.task" and a digest of its own: on a card the task says enough. */
export function labelOf(node: TraceNode): string {
  const { task } = node.detail;
  return node.type === 'record' && typeof task === 'string' && task !== '' ? task : node.label;
}

const ORDER: TraceNode['type'][] = ['deployment', 'model_version', 'record', 'artifact'];

/** From the deployment back to the data; by label within a kind. */
export function sortNodes(nodes: readonly TraceNode[]): TraceNode[] {
  return [...nodes].sort(
    (a, b) => ORDER.indexOf(a.type) - ORDER.indexOf(b.type) || labelOf(a).localeCompare(labelOf(b), undefined, { numeric: true }),
  );
}

export function ofType(nodes: readonly TraceNode[], type: TraceNode['type']): TraceNode[] {
  return nodes.filter((node) => node.type === type);
}

/** "sealed_at" as "sealed at". */
export function fieldWords(field: string): string {
  const words = field.replaceAll('_', ' ');
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}`.replace(/^Sha256$/, 'Digest');
}
