/** Runs `work`, never twice at once; calls that come meanwhile make one more round together. */
export function oneAtATime(work: () => Promise<void>, onProblem: (problem: unknown) => void): () => Promise<void> {
  const flight = { busy: false, again: false };
  return async () => {
    flight.again = true;
    if (flight.busy) return;
    flight.busy = true;
    try {
      while (flight.again) {
        flight.again = false;
        await work();
      }
    } catch (problem) {
      onProblem(problem);
    } finally {
      flight.busy = false;
    }
  };
}
