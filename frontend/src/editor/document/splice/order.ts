/* The order in which people write the keys of a task and of a document. */

const ORDER: readonly string[] = [
  ...['schema', 'name', 'kind', 'title', 'description', 'purpose', 'parameters', 'triggers', 'overlap', 'priority', 'defaults', 'code'],
  ...['run', 'source', 'pipeline', 'version', 'instructions', 'over', 'as', 'limit', 'queue', 'resources', 'timeout', 'retries', 'start', 'cache'],
  ...['until', 'for', 'file', 'artifact', 'http', 'needs', 'when', 'with', 'checks', 'on_failure', 'by', 'deadline', 'requester_may_approve'],
  ...['tasks', 'outputs'],
];
const RANK = new Map(ORDER.map((name, number) => [name, number]));

/**
 * The number of the key below which a new one belongs among these, null when it becomes the first. A key without a
 * usual place comes last.
 */
export function before(name: string, names: readonly string[]): number | null {
  const rank = RANK.get(name);
  const beside = names.filter((other) => RANK.has(other)).length;
  if (rank === undefined || beside * 2 < names.length) return names.length - 1;
  const above = names.findLastIndex((other) => (RANK.get(other) ?? Infinity) < rank);
  return above < 0 ? null : above;
}
