/** How many jobs a host runs at a time, as task files say it. Pure. */
import { write } from "@muster/task/write.ts";
import { expect, test } from "vitest";
import { problems, read } from "./support.ts";

const mostOf = (text: string) => read(`${text}\nrun: x\n`).tasks[0]?.maxConcurrentJobs;

test("a file says it for the cluster, and it is written as it was read", () => {
  expect(mostOf("max_concurrent_jobs: 1")).toBe(1);
  expect(mostOf("max_concurrent_jobs: 64")).toBe(64);
  expect(mostOf("name: x")).toBeUndefined();
  const again = write(read("max_concurrent_jobs: 3\nrun: x\n"));
  expect(again).toMatch(/^max_concurrent_jobs: 3$/m);
  expect(read(again).tasks[0]?.maxConcurrentJobs).toBe(3);
});

test.each(["0", "65", "-1", "1.5", "many", "[1]"])("max_concurrent_jobs: %s is refused", value => {
  expect(problems(`max_concurrent_jobs: ${value}\nrun: x\n`).map(({ path }) => path)).toEqual(["max_concurrent_jobs"]);
});
