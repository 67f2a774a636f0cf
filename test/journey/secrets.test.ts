/** Ran against: the whole control plane on this machine, with a real agent and a real process; its files are looked into. */
import { createHash } from "node:crypto";
import { existsSync, globSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ended, type InProcess, launch, logOf, openPlane } from "../support/plane.ts";
import { until } from "../support/until.ts";

let plane: InProcess;
beforeAll(async () => {
  plane = await openPlane();
});
afterAll(() => plane.close());

const VALUE = "correct horse battery staple {{ssm:x}}";

/** Files of the control plane that hold the value. */
const holding = (): string[] =>
  globSync("**", { cwd: plane.home, withFileTypes: true })
    .filter(entry => entry.isFile() && !entry.parentPath.includes("/machines/"))
    .map(entry => join(entry.parentPath, entry.name))
    .filter(path => readFileSync(path).includes("correct horse battery staple"));

test("a job has its secret, its file is this user's alone while it lives, and no other file ever holds it", async () => {
  const job = await launch(plane, "demo", {
    secrets: { PHRASE: VALUE },
    run: 'printf %s "$PHRASE" | sha256sum; sleep 1000',
  });
  const hash = createHash("sha256").update(VALUE).digest("hex");
  await until("the job to have its secret", async () => (await logOf(plane, job)).includes(hash));
  const kept = join(plane.home, "secrets", "local", `${job.id}.json`);
  expect(holding()).toEqual([kept]);
  expect([kept, join(plane.home, "secrets")].map(path => statSync(path).mode & 0o777)).toEqual([0o600, 0o700]);
  await plane.api.jobs.cancel({ params: { job: job.id } });
  await ended(plane, job);
  await until("its secret to be forgotten", () => !existsSync(kept));
  expect(holding()).toEqual([]);
  expect(plane.errors).toEqual([]);
});
