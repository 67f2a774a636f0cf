/**
 * From a folder on the user's machine to a job that reads it: the CLI's own code, the real control plane in this process,
 * real agents, real processes.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { empty } from "@muster/task/draft.ts";
import { afterEach, expect, test } from "vitest";
import * as Inputs from "../../packages/cli/src/inputs.ts";
import { output } from "../../packages/cli/src/output.ts";
import { ended, type InProcess, inState, launch, logOf, openPlane } from "../support/plane.ts";
import { until } from "../support/until.ts";

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

async function open(): Promise<{ plane: InProcess; work: string; take: () => ReturnType<typeof Inputs.send> }> {
  const plane = await openPlane();
  ends.push(plane.close);
  const work = mkdtempSync(join(tmpdir(), "muster-journey-"));
  ends.push(() => rmSync(work, { recursive: true, force: true }));
  const out = output({ quiet: true }, { CI: "true" });
  const means = { out, client: plane.api, ask: { yes: false, interactive: false }, caches: join(work, "cache") };
  const draft = { ...empty("stop"), workdir: join(work, "proj") };
  return { plane, work, take: () => Inputs.send(means, Inputs.find(work, draft)) };
}

test("each job runs its own upload: what is deleted is not there, and a job that runs keeps what it has", {
  timeout: 60_000,
}, async () => {
  const { plane, work, take } = await open();
  mkdirSync(join(work, "proj/sub"), { recursive: true });
  for (const name of ["a.txt", "b.txt", "sub/c.txt"]) writeFileSync(join(work, "proj", name), name);
  // Two packs: this one has its own.
  writeFileSync(join(work, "proj/large.bin"), new Uint8Array(9_000_000));
  const list = "find . -type f | sort | tr '\\n' ' '";
  const run = `${list}; until test -e "$GATE"; do sleep 0.05; done; ${list}`;
  const gate = join(work, "gate");
  const first = await launch(plane, "demo", { run, envs: { GATE: gate }, ...(await take()) });
  await inState(plane, first, "running");
  const all = "./a.txt ./b.txt ./large.bin ./sub/c.txt ";
  await until("the first list", async () => (await logOf(plane, first)).includes(all));
  rmSync(join(work, "proj/b.txt"));
  const sent = await take();
  const second = await plane.api.jobs.submit({
    params: { cluster: "demo" },
    body: { task: { run: list, ...sent } },
  });
  writeFileSync(gate, "");
  expect((await ended(plane, first)).state).toBe("succeeded");
  expect((await ended(plane, second)).state).toBe("succeeded");
  expect(await logOf(plane, first, { phase: "run" })).toBe(all + all);
  expect(await logOf(plane, second, { phase: "run" })).toBe("./a.txt ./large.bin ./sub/c.txt ");
  expect(sent.workdir).toMatchObject({ packs: [expect.any(String), expect.any(String)] });
});
