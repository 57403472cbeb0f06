import type { TraceNode } from '../api/types';

export const TYPE_WORDS: Record<TraceNode['type'], string> = {
  deployment: 'deployment',
  model_version: 'model version',
  artifact: 'data',
  record: 'task',
};

const ORDER: TraceNode['type'][] = ['deployment', 'model_version', 'record', 'artifact'];

/** From the deployment back to the data; by label within a kind. */
export function sortNodes(nodes: readonly TraceNode[]): TraceNode[] {
  return [...nodes].sort(
    (a, b) => ORDER.indexOf(a.type) - ORDER.indexOf(b.type) || a.label.localeCompare(b.label, undefined, { numeric: true }),
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
