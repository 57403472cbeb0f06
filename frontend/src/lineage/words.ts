import type { TraceNode } from '../api/types';

export const TYPE_WORDS: Record<TraceNode['type'], string> = {
  deployment: 'deployment',
  model_version: 'model version',
  artifact: 'data',
  record: 'task',
};

/** What a card says: a record by its task, and "digits.train.model" without the pipeline in front. */
export function labelOf(node: TraceNode): string {
  const { task } = node.detail;
  if (node.type === 'record' && typeof task === 'string' && task !== '') return task;
  const parts = node.label.split('.');
  return node.type === 'artifact' && parts.length > 2 ? parts.slice(1).join('.') : node.label;
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
