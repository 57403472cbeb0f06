import { getLog } from '../../api/runs';
import { plainText } from './ansi';

const LINES_AT_ONCE = 5000;

/** Fetches a whole log and hands it to the browser as a text file without colour codes. */
export async function downloadLog(attempt: string, fileName: string): Promise<void> {
  const parts: string[] = [];
  let offset = 0;
  for (;;) {
    const slice = await getLog(attempt, offset, LINES_AT_ONCE);
    for (const line of slice.lines) parts.push(`${plainText(line)}\n`);
    if (slice.lines.length === 0 || slice.next >= slice.total) break;
    offset = slice.next;
  }
  save(new Blob(parts, { type: 'text/plain' }), fileName);
}

function save(blob: Blob, fileName: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = fileName;
  link.click();
  // Revoked late: the browser reads the address after this turn.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
