/** Many jobs and many lines, on the real control plane and a real agent of this machine. The full minute is in `npm run soak`. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Task } from "@muster/core/task/task.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { chatter, followed } from "../support/chatter.ts";
import { ended, type InProcess, launch, openPlane } from "../support/plane.ts";

let plane: InProcess;
beforeAll(async () => {
  plane = await openPlane();
});
afterAll(() => plane.close());

test("200 queued jobs run once each, in order", async () => {
  const order = join(plane.home, "order");
  const first = await launch(plane, "queue", { run: `echo 0 >> ${order}` });
  const jobs = [first];
  for (let index = 1; index < 200; index++)
    jobs.push(
      await plane.api.jobs.submit({
        params: { cluster: "queue" },
        body: { task: Task.parse({ run: `echo ${index} >> ${order}` }) },
      }),
    );
  for (const job of jobs) expect((await ended(plane, job)).state).toBe("succeeded");
  expect(readFileSync(order, "utf8")).toBe(jobs.map((_, index) => `${index}\n`).join(""));
}, 120_000);

test("a job that prints 1,000 lines a second loses none, keeps their order, and can be followed", async () => {
  const { job, lines, lags } = await followed(plane, chatter({ seconds: 5, perSecond: 1000 }));
  expect((await ended(plane, job)).state).toBe("succeeded");
  expect(lines).toHaveLength(5000);
  expect(lines.every((line, index) => line === index)).toBe(true);
  expect(lags.length).toBeGreaterThan(10);
});
