/**
 * The action, bundled and run as GitHub runs it, against the embedded control plane: real processes, real HTTP, real jobs.
 * The runner is ours; its files and variables are as GitHub's documentation and its toolkit have them.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { ended, type InProcess, openPlane } from "../support/plane.ts";
import { until } from "../support/until.ts";
import { Runner } from "./support/runner.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

let plane: InProcess;
beforeAll(async () => {
  plane = await openPlane();
});
afterAll(() => plane.close());

const HELLO = `name: hello
run: |
  echo "hello, $WHO"
  test "$PASS" = "so secret, so long"
  exit $CODE
`;

const runner = (more: Readonly<Record<string, string>> = {}): Runner => {
  const made = new Runner({ endpoint: plane.url, token: plane.token, task: "hello.yaml", ...more });
  made.write("hello.yaml", HELLO);
  return made;
};

const jobs = async () => (await plane.api.jobs.list({ query: {} })).items;
const clusterOf = (name: string | undefined) => plane.api.clusters.get({ params: { cluster: name ?? "" } });

test("a task runs with its log, and outputs, state and summary say what became of it", async () => {
  using action = runner({ env: "WHO=world\nCODE=0", secrets: "PASS=so secret, so long", args: "--name\nfrom-ci" });
  const { code, log } = await action.main().ended;
  expect([code, log]).toEqual([0, expect.stringContaining("hello, world\n")]);
  expect(log).not.toContain("so secret, so long");
  const outputs = action.read("OUTPUT");
  expect(outputs).toMatchObject({ state: "succeeded", "exit-code": "0" });
  const [job] = await jobs();
  expect([outputs.job, job?.name]).toEqual([job?.id, "from-ci"]);
  expect(action.text("STEP_SUMMARY")).toMatch(/<table>.*from-ci job_.*succeeded/s);
  const { code: last } = await action.post().ended;
  expect(last).toBe(0);
  expect(readdirSync(join(action.folder, "temp"))).toEqual([]);
  // It had no cluster of somebody's: its own goes with it.
  await until("its cluster to end", async () => (await clusterOf(job?.clusterId)).state === "terminated" || undefined);
});

test("a job that fails fails the step, with the job's own exit code and a word on why", async () => {
  using action = runner({ env: "WHO=world\nCODE=7", secrets: "PASS=so secret, so long" });
  const { code, log } = await action.main().ended;
  expect([code, log]).toEqual([7, expect.stringMatching(/::error title=hello failed::/)]);
  expect(action.read("OUTPUT")).toMatchObject({ state: "failed", "exit-code": "7" });
});

test.each([
  [
    "a task file that is not there",
    { task: "nowhere.yaml" },
    120,
    "\n::error::cannot read nowhere.yaml: there is no such file\n",
  ],
  [
    "a token that nobody knows",
    { token: "mst_nobody" },
    121,
    "refuses the token in MUSTER_TOKEN: a valid token is needed (it was revoked",
  ],
  ["a line of secrets that is none", { secrets: "not a name=x" }, 1, "::error::secrets: each line is NAME=VALUE"],
  ["no endpoint", { endpoint: "" }, 1, "::error::Input required and not supplied: endpoint"],
])("%s fails the step, and says what to do", async (_, inputs: Record<string, string>, exitCode, text) => {
  using action = runner(inputs);
  const { code, log } = await action.main().ended;
  expect([code, log]).toEqual([exitCode, expect.stringContaining(text)]);
  const before = await jobs();
  expect((await action.post().ended).code).toBe(0);
  expect(await jobs()).toEqual(before);
});

test("a workflow that is cancelled cancels the job", async () => {
  using action = runner({ task: "long.yaml" });
  action.write("long.yaml", "name: long\nrun: echo it runs; sleep 600\n");
  const step = action.main();
  await step.saw("it runs");
  step.child.kill("SIGINT");
  expect((await step.ended).code).toBe(130);
  const [job] = await jobs();
  expect([job?.name, job?.state]).toEqual(["long", "cancelled"]);
});

test("what a runner that was stopped at once has left is cancelled by the step's end", async () => {
  using action = runner({ task: "long.yaml" });
  action.write("long.yaml", "name: left\nrun: echo it runs; sleep 600\n");
  const step = action.main();
  await step.saw("it runs");
  // Its own child is ended with it, as the runner ends every process of a step.
  step.child.kill("SIGKILL");
  const [left] = await jobs();
  expect([left?.name, left?.state]).toEqual(["left", "running"]);
  const { code, log } = await action.post().ended;
  expect([code, log]).toEqual([0, expect.not.stringContaining("::warning")]);
  expect(await ended(plane, { id: left?.id ?? "" })).toMatchObject({ state: "cancelled" });
  await until("its cluster to end", async () => (await clusterOf(left?.clusterId)).state === "terminated" || undefined);
});
