import type { Environment } from '../api/types';
import { shortDigest } from '../ui/format';

/** What an environment is called: by who uses it now, else by its lock file. */
export function titleOf({ used_by: users, lock_sha256: lock }: Pick<Environment, 'used_by' | 'lock_sha256'>): string {
  const names = users.map((user) => user.name);
  if (names.length === 0) return lock === '' ? 'Without a lock file' : `Lock file ${shortDigest(lock)}`;
  return names.length > 3 ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} more` : names.join(', ');
}

/** "3.11.7", or what is wanted while nothing is built: "wants >=3.12". */
export function pythonOf({ python, wanted }: Pick<Environment, 'python' | 'wanted'>): string {
  return python || (wanted ? `wants ${wanted}` : '–');
}
