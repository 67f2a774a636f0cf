/** Names that a task may give its variables, as core's schema takes them from whomever sends the task. Pure. */
import { environment } from "@muster/core/job/environment.ts";
import { EnvName, Task } from "@muster/core/task/task.ts";
import { describe, expect, test } from "vitest";

const MUSTER = "is set by Muster itself: give the variable another name";
const SHELL = "changes what the shell or the loader does before the script begins: export it in run instead";

const wrong = (name: string) => EnvName.safeParse(name).error?.issues.map(({ message }) => message) ?? [];

test("whatever Muster tells a job under its own names is Muster's", () => {
  const job = {
    id: "job_1",
    clusterId: "clu_1",
    clusterName: "c",
    createdAt: 0,
    fence: 1,
    array: { id: "job_1", index: 0 },
  } as unknown as Parameters<typeof environment>[0];
  const hosts = [{ address: "10.0.0.1", gpus: 1, runs: [] }] as unknown as Parameters<typeof environment>[2]["hosts"];
  const told = environment(job, Task.parse({ runs: { count: 1 } }), { rank: 0, hosts, offer: { provider: "local" } });
  const names = Object.keys(told).filter(name => /^(?:MUSTER|SKYPILOT)_/.test(name));
  expect(names.length).toBeGreaterThan(10);
  for (const name of names) expect([name, ...wrong(name)]).toEqual([name, MUSTER]);
});

test.each("LD_PRELOAD LD_AUDIT GLIBC_TUNABLES BASH_ENV SHELLOPTS BASHOPTS PS4 PROMPT_COMMAND IFS".split(" "))(
  "%s is read before a script begins",
  name => {
    expect(wrong(name)).toEqual([SHELL]);
  },
);

test.each(
  "SKYPILOT_DOCKER_USERNAME SKYPILOT_DEBUG MUSTER_ENDPOINT LD_LIBRARY_PATH MASTER_PORT ENVIRONMENT PS5 env".split(" "),
)("%s may be set", name => {
  expect(wrong(name)).toEqual([]);
});

describe("a task that is sent", () => {
  test.each([
    { envs: { LD_PRELOAD: "/tmp/x.so" } },
    { secrets: { LD_PRELOAD: "/tmp/x.so" } },
    { storedSecrets: ["LD_PRELOAD"] },
    { envs: { MUSTER_JOB_ID: "job_2" } },
  ])("%j is refused", task => {
    expect(Task.safeParse(task).success).toBe(false);
  });
});
