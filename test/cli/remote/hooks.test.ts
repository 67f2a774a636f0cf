/** Hooks: the command line as a process, against a whole control plane, and requests signed with the secret that it showed. */
import { createHmac } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type InProcess, openPlane } from "../../support/plane.ts";
import { until } from "../../support/until.ts";
import { Home } from "../support/muster.ts";

// A dozen processes, one after the other.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

let plane: InProcess;
let home: Home;
beforeAll(async () => {
  plane = await openPlane();
  home = new Home();
  await home.login(plane.url, plane.token, "--name", "prod");
});
afterAll(async () => {
  await home[Symbol.asyncDispose]();
  await plane.close();
});

const FILE = `
name: ci
forge: github
rules:
  - name: main
    on: push
    branches: main
    task: {run: "true"}
    down: true
`;

interface Listed {
  readonly id: string;
  readonly state: string;
}

const deliveries = async (...options: string[]): Promise<Listed[]> =>
  JSON.parse((await home.run("hooks", "deliveries", "ci", "--json", ...options)).out) as Listed[];

async function push(url: string, secret: string, branch: string): Promise<number> {
  const body = JSON.stringify({ ref: `refs/heads/${branch}`, after: "a".repeat(40), sender: { login: "ada" } });
  const signature = `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`;
  const headers = { "x-github-event": "push", "x-hub-signature-256": signature };
  return (await fetch(url, { method: "POST", headers, body })).status;
}

test("a hook is made from a file, sent to by what was shown, and says what became of it", async () => {
  const file = join(home.path, "hooks.yaml");
  writeFileSync(file, FILE);
  const made = await home.run("hooks", "set", file);
  expect([made.code, made.out]).toEqual([0, expect.stringContaining("Made ci.")]);
  const [, url = ""] = /^URL +(\S+)$/m.exec(made.out) ?? [];
  const [, secret = ""] = /^Secret +(\S+)$/m.exec(made.out) ?? [];
  expect([await push(url, secret, "main"), await push(url, secret, "topic"), await push(url, "wrong", "main")]).toEqual(
    [202, 202, 401],
  );
  await until("both", async () => (await deliveries()).every(({ state }) => state !== "pending"));
  const [launched, ...more] = await deliveries("--state", "launched");
  expect([launched?.state, more.length, (await deliveries("--state", "skipped")).length]).toEqual(["launched", 0, 1]);
  const { out: shown } = await home.run("hooks", "deliveries", "ci", launched?.id ?? "");
  expect(shown).toMatch(/main +launched +job_/);
  const { out: log } = await home.run("hooks", "deliveries", "ci");
  expect(log).toContain("branch topic fits none of main");

  const again = await home.run("hooks", "replay", "ci", launched?.id ?? "");
  expect([again.code, again.out]).toEqual([0, expect.stringContaining("Replaying hdl_")]);
  // Set anew it keeps its address and its secret; rotated, the one before is good for another day.
  expect((await home.run("hooks", "set", file)).out).toBe("Set ci.\n");
  const rotated = await home.run("hooks", "rotate", "ci");
  expect(rotated.out).not.toContain(secret);
  expect(await push(url, secret, "other")).toBe(202);
  expect((await home.run("hooks", "list")).out).toMatch(/^ci +github +1/m);
  expect((await home.run("hooks", "remove", "ci", "--yes")).out).toBe("Removed ci.\n");
  expect(await push(url, secret, "later")).toBe(401);
});

test("what is wrong with a file is told before anything is asked of the control plane, or by it", async () => {
  const file = join(home.path, "wrong.yaml");
  writeFileSync(file, FILE.replace("branches", "branch"));
  const typo = await home.run("hooks", "set", file);
  expect([typo.code, typo.err]).toEqual([120, expect.stringContaining("did you mean 'branches'?")]);
  writeFileSync(file, FILE.replace("forge: github", "forge: gitbub"));
  const forge = await home.run("hooks", "set", file);
  expect([forge.code, forge.err]).toEqual([120, expect.stringContaining("hook.forge")]);
});
