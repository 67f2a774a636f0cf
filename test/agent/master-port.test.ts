/** MASTER_PORT on a host where somebody else has it; real agents, the control plane is a server of our own. */
import { createServer } from "node:net";
import { expect, test } from "vitest";
import { Bench } from "./support/bench.ts";

/** A port that is taken for the time of a test. */
async function taken() {
  const server = createServer();
  await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return { port: String(port), [Symbol.dispose]: () => void server.close() };
}

const RUN = "echo $MASTER_PORT; touch ~/ran";

test.concurrent("the first node of several ends before anything is done, and says which port it is", async () => {
  await using bench = await Bench.open();
  using busy = await taken();
  const env = { MASTER_PORT: busy.port, MUSTER_NUM_NODES: "2" };
  bench.plane.assign("job_a", { env, run: RUN });
  bench.plane.assign("job_b", { env, rank: 1, run: RUN });
  await bench.agent();
  expect(await bench.exit("job_a")).toMatchObject({
    cause: "port_taken",
    message: `port ${busy.port}, which MASTER_PORT names, is taken on the job's first host`,
  });
  expect(await bench.exit("job_b")).toMatchObject({ cause: "exited", exitCode: 0 });
  expect([bench.plane.log("job_a", "run"), bench.plane.log("job_b", "run")]).toEqual(["", `${busy.port}\n`]);
});

test.concurrent("a node that is alone gets another one, and a port that is free stays", async () => {
  await using bench = await Bench.open();
  using busy = await taken();
  using free = await taken();
  free[Symbol.dispose]();
  bench.plane.assign("job_a", { env: { MASTER_PORT: busy.port, MUSTER_NUM_NODES: "1" }, setup: RUN, run: RUN });
  bench.plane.assign("job_b", { env: { MASTER_PORT: free.port, MUSTER_NUM_NODES: "1" }, run: RUN });
  await bench.agent();
  expect(await bench.exit("job_a")).toMatchObject({ cause: "exited", exitCode: 0 });
  await bench.exit("job_b");
  const [setup, run] = ["setup", "run"].map(phase => bench.plane.log("job_a", phase));
  expect(run).toMatch(/^\d{4,5}\n$/);
  expect(run).not.toBe(`${busy.port}\n`);
  expect(setup).toBe(run);
  expect(bench.plane.log("job_b")).toBe(`${free.port}\n`);
});
