/** One cold start: loads a bundle, and answers one request that reads the table. Prints the two times, in ms. */
const [bundle = "", event = ""] = process.argv.slice(2);
const begun = performance.now();
const { handler } = (await import(bundle)) as { handler?: (event: unknown) => Promise<unknown> };
const loaded = performance.now();
await handler?.(JSON.parse(event));
process.send?.({ load: loaded - begun, first: performance.now() - loaded });
process.disconnect();
