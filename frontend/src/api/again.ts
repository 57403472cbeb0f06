/* Saying again who one is. A request that is refused with this code waits here while a dialog asks the person, and is
   sent once more when they have answered. Several that wait at the same time are answered by one dialog. */

export const AGAIN = 'reauthentication-required';

type Asker = () => Promise<boolean>;

let ask: Asker | null = null;
let asking: Promise<boolean> | null = null;

/** Called by the dialog: how the person is asked. The result says whether they confirmed. */
export function whenAskedAgain(asker: Asker): () => void {
  ask = asker;
  return () => {
    if (ask === asker) ask = null;
  };
}

/** Whether the person has confirmed who they are; no where nobody can ask them. */
export function confirmWho(): Promise<boolean> {
  asking ??= (ask?.() ?? Promise.resolve(false)).finally(() => {
    asking = null;
  });
  return asking;
}

/** Whether an answer asks for it. */
export async function asksAgain(response: Response): Promise<boolean> {
  if (response.status !== 403) return false;
  const body = (await response.clone().json().catch(() => null)) as { code?: string } | null;
  return body?.code === AGAIN;
}
