import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { REPOSITORY } from './samples';

/* The server's own reading of documents, by one Python process for a whole test. */

const PYTHON = join(REPOSITORY, '.venv/bin/python');

export interface Seen {
  /** [key, kind, parent]; null when the document cannot be drawn. */
  readonly tasks: [string, string, string | null][] | null;
  /** [up, down, rule, data] */
  readonly edges: [string, string, string, boolean][] | null;
  /** [code, line, message] */
  readonly problems: [string, number, string][];
}

export const hasServer = existsSync(PYTHON);

export class Server {
  private readonly process: ChildProcessWithoutNullStreams;
  private readonly waiting: ((line: string) => void)[] = [];

  constructor() {
    this.process = spawn(PYTHON, ['-m', 'tests.pipelines.graphs_of_texts'], { cwd: REPOSITORY });
    createInterface({ input: this.process.stdout }).on('line', (line) => this.waiting.shift()?.(line));
    this.process.stderr.pipe(process.stderr);
  }

  async see(text: string): Promise<Seen> {
    const answer = new Promise<string>((resolve) => this.waiting.push(resolve));
    this.process.stdin.write(`${JSON.stringify(text)}\n`);
    return JSON.parse(await answer) as Seen;
  }

  close(): void {
    this.process.kill();
  }
}
