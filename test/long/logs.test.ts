/**
 * `muster logs` as people run it: the command line as processes of their own, on a control plane, agents and jobs that are
 * processes on this machine; one of them on a terminal.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { grant } from "@muster/core/token/create.ts";
import { openControlPlane } from "@muster/local/run/control-plane.ts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Home } from "../cli/support/muster.ts";
import { clearHome, newHome, spawnPlane } from "../support/plane.ts";

const home = new Home();
const RUN = 'for i in 1 2 3; do printf "\\033[32m%s\\033[0m\\033]0;title\\007 of $MUSTER_NODE_RANK\\n" $i; done';
beforeAll(async () => {
  const args = ["launch", "-c", "pair", "--num_nodes", "2", "--setup", "echo prepared", "--run", RUN];
  expect(await home.run(...args)).toMatchObject({ code: 0 });
});
afterAll(() => home[Symbol.asyncDispose]());

const sorted = (text: string): string[] => text.split("\n").filter(Boolean).toSorted();

describe("parts of a log", () => {
  test("by node, by phase, and by their last lines", async () => {
    const logs = async (...args: string[]) => (await home.run("logs", "pair", ...args)).out;
    expect(await logs("--node", "1")).toBe("prepared\n1 of 1\n2 of 1\n3 of 1\n");
    expect(await logs("--node", "0", "--phase", "run")).toBe("1 of 0\n2 of 0\n3 of 0\n");
    expect(sorted(await logs("--phase", "setup"))).toEqual(["(rank 0) prepared", "(rank 1) prepared"]);
    expect(sorted(await logs("--tail", "1"))).toEqual(["(rank 0) 3 of 0", "(rank 1) 3 of 1"]);
    expect(await logs("--since", "1h", "--node", "0", "--tail", "2")).toBe("2 of 0\n3 of 0\n");
    expect(await logs("--since", "2999-01-01")).toBe("");
    expect(await logs("--phase", "provision")).toMatch(
      / cluster pair requested\n(.*\n)* cluster pair ready\n|cluster pair ready\n/,
    );
    const json = (await home.run("logs", "pair", "--json", "--phase", "setup", "--node", "1")).out;
    expect(JSON.parse(json)).toMatchObject({ attempt: 1, rank: 1, phase: "setup", text: "prepared\n" });
  });

  test("what is not there, or not meant so, is refused in a sentence", async () => {
    const err = async (...args: string[]) => {
      const { code, err } = await home.run("logs", "pair", ...args);
      expect(code).toBe(120);
      return err;
    };
    expect(await err("--node", "2")).toContain("the job has nodes 0 to 1");
    expect(await err("--attempt", "2")).toContain("the job has had 1 try");
    expect(await err("--tail", "-1")).toContain("Write a whole number");
    expect(await err("--since", "yesterday")).toContain("Write how long ago");
    expect(await err("--phase", "running")).toContain("Phases are provision, packages, setup");
  });

  test("as files: one of all of it, or a folder of one for each node and phase", async () => {
    const folder = join(home.path, "files");
    expect(await home.run("logs", "pair", "-o", `${folder}/`)).toMatchObject({ code: 0, out: "" });
    expect(readdirSync(folder).toSorted()).toEqual([
      "node-0.run.log",
      "node-0.setup.log",
      "node-1.run.log",
      "node-1.setup.log",
    ]);
    expect(readFileSync(join(folder, "node-1.run.log"), "utf8")).toBe("1 of 1\n2 of 1\n3 of 1\n");
    const file = join(home.path, "all.log");
    await home.run("logs", "pair", "-o", file, "--node", "0", "--raw");
    expect(readFileSync(file, "utf8")).toContain("\u001b[32m1\u001b[0m\u001b]0;title\u0007 of 0\n");
  });

  test("on a terminal colours stay, and titles do not", async () => {
    const { ended } = home.onTerminal(["logs", "pair", "--node", "0", "--phase", "run"]);
    const { out } = await ended;
    expect(out).toContain("\u001b[32m1\u001b[0m of 0\r\n");
    expect(out).not.toContain("title");
  });
});

test("a follower of a job whose cluster is still coming up is told what happens to it", async () => {
  const place = newHome();
  // Machines on which no agent ever calls.
  const agent = [process.execPath, "-e", "setInterval(() => {}, 1e6)", "--", "__agent"] as const;
  const log = { info: () => undefined, error: () => undefined };
  const silent = await openControlPlane({ home: place, agent: [...agent], log });
  await using reader = new Home();
  try {
    const { token } = await grant(silent.world, { workspace: "local", actor: "usr_ada", role: "admin" });
    await reader.login(silent.url, token);
    const launched = await reader.run("launch", "-c", "slow", "--detach", "--run", "true", "--json");
    const { job } = JSON.parse(launched.out) as { job: { id: string } };
    const follower = reader.start(["logs", "-f", job.id]);
    await follower.saw("cluster slow launching\n");
    await follower.saw("it waits for cluster 'slow'");
    await reader.run("cancel", job.id, "--yes");
    const { out, err } = await follower.ended;
    expect(out).toBe("");
    expect(err.match(/cluster slow launching\n/g)).toHaveLength(1);
    expect(err).toContain(`job ${job.id} cancelled`);
    expect((await reader.run("logs", job.id, "--phase", "provision")).out).toMatch(
      / cluster slow requested\n.* cluster slow launching\n/s,
    );
  } finally {
    await silent.close();
    clearHome(place);
  }
});

const LINES = 60;

test("a follower outlives the control plane: not a line is missing, and none comes twice", async () => {
  const place = newHome();
  let plane = await spawnPlane(place);
  await using reader = new Home();
  try {
    await reader.login(plane.url, plane.token, "--insecure");
    const script = `for i in $(seq 1 ${LINES}); do echo "line $i"; sleep 0.1; done; exit 4`;
    const launched = await reader.run("launch", "-c", "one", "--detach", "--run", script, "--json");
    const { job } = JSON.parse(launched.out) as { job: { id: string } };
    const follower = reader.start(["logs", "-f", job.id]);
    await follower.saw("line 20\n");
    await plane.kill();
    await follower.saw("the log cannot be reached; trying again");
    plane = await spawnPlane(place);
    const { code, out, err } = await follower.ended;
    expect(out).toBe(Array.from({ length: LINES }, (_, line) => `line ${line + 1}\n`).join(""));
    expect(err).toContain("the log can be reached again");
    expect(code).toBe(4);
  } finally {
    await plane.kill();
    clearHome(place);
  }
});

test("a follower of a job that is tried again is told where the next try begins, and the first can be read later", async () => {
  const script = 'n=$(cat ~/tried || echo 0); echo $((n + 1)) > ~/tried; printf "begin $n"; exit $((1 - n))';
  const file = join(home.path, "again.yaml");
  writeFileSync(file, `retry: { max: 1, on: [exit_code], backoff: 0 }\nrun: |\n  exec 2>/dev/null\n  ${script}\n`);
  const { code, out, err } = await home.run("launch", file, "-c", "tries");
  expect([code, out]).toEqual([0, "begin 0\nbegin 1"]);
  expect(err).toContain("── try 2: the job begins again ──");
  expect(err).toMatch(/ job job_\w+ recovering/);
  expect((await home.run("logs", "tries", "--attempt", "1")).out).toBe("begin 0");
  expect((await home.run("logs", "tries")).out).toBe("begin 1");
});
