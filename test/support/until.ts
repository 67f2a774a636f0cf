/** Milliseconds between two looks: what did not come at once is looked for less often, for looking takes time from others. */
const SHORTEST = 15;
const LONGEST = 50;

/** Waiting for something to become so, by asking again and again; fails when it does not within the time. */
export async function until<T>(
  what: string,
  ask: () => Promise<T | undefined | false> | T | undefined | false,
  ms = 30_000,
): Promise<T> {
  const begun = performance.now();
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    const waited = performance.now() - begun;
    if (waited > ms) throw new Error(`waited ${ms} ms in vain for ${what}`);
    await new Promise(resolve => setTimeout(resolve, Math.min(SHORTEST + waited / 50, LONGEST)));
  }
}
