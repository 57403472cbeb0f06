import type { ProblemBody } from './types';

/** A request that did not succeed. `status` 0: no answer came at all. */
export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  readonly fields: { field: string; message: string }[];

  constructor(body: ProblemBody) {
    super(body.detail ?? body.title);
    this.name = 'Problem';
    this.status = body.status;
    this.code = body.code ?? '';
    this.fields = body.errors ?? [];
  }

  get unreachable(): boolean {
    return this.status === 0;
  }
}

const TITLES: Record<number, string> = {
  401: 'You are signed out.',
  403: 'You may not do this.',
  404: 'This does not exist, or you may not see it.',
  409: 'Something changed meanwhile. Reload and try again.',
  429: 'Too many requests. Wait a moment and try again.',
};

/** The problem in an answer that is not 2xx, whatever its body is. */
export async function problemOf(response: Response): Promise<Problem> {
  const fallback = TITLES[response.status] ?? `The server answered ${response.status}. Try again in a moment.`;
  try {
    const body = (await response.json()) as Partial<ProblemBody> | null;
    if (body && typeof body === 'object' && (body.title ?? body.detail)) {
      return new Problem({ ...body, title: body.title ?? fallback, status: response.status });
    }
  } catch {
    // A proxy's HTML page or an empty body: the status says all there is to say.
  }
  return new Problem({ title: fallback, status: response.status });
}

/** Anything thrown, as a sentence for the page. */
export function sentenceOf(error: unknown): string {
  if (error instanceof Problem) return error.message;
  if (error instanceof Error) return error.message;
  return String(error);
}
