/** One environment of a Lambda function: loads a bundle, and answers events as Lambda's own runtime does. */
interface Invocation {
  readonly id: number;
  readonly event: unknown;
  /** How far the function's clock is ahead of the machine's, in ms. */
  readonly ahead: number;
}

// Before the bundle is loaded: it may keep what it finds.
const clock = { now: Date.now, ahead: 0 };
Date.now = () => clock.now() + clock.ahead;

const [bundle = ""] = process.argv.slice(2);
const { handler } = (await import(bundle)) as { handler: (event: unknown) => Promise<unknown> };

const answer = async (event: unknown): Promise<object> => {
  try {
    return { result: (await handler(event)) ?? null };
  } catch (error) {
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    return { error: { name, message } };
  }
};

process.on("message", ({ id, event, ahead }: Invocation) => {
  clock.ahead = ahead;
  void answer(event).then(said => process.send?.({ id, ...said }));
});
// Its parent is gone, however that came about.
process.on("disconnect", () => process.exit(0));
process.send?.({ ready: true });
