/**
 * What the boot script does on a disk that was another machine's: one that was made from an image, or of a cluster that has
 * moved. Run by this machine's bash in a folder that stands for the disk; metadata and control plane are servers of ours.
 */
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Machine } from "./support/machine.ts";

const START = "systemctl start muster-agent.service";
const STOP = "systemctl stop muster-boot.service muster-agent.service";
const HERE = "i-0123456789abcdef0";
const AGENT = "var/lib/muster/agent";

/** Puts there what the agent of a machine has kept, with files that jobs were given and files of their own. */
function used(machine: Machine, machineId: string): void {
  const { sandbox } = machine;
  const { root } = sandbox;
  const given = [`${root}/home/ada/.netrc`, `${root}/home/ada/a b/key\nfile`, `${root}/home/ada/gone`];
  sandbox.write("home/ada/.netrc", "given");
  sandbox.write("home/ada/a b/key\nfile", "given");
  sandbox.write("home/ada/data", "own");
  const host = { hostId: "clu_OLD-0", hostToken: "mst_old_token", machineId };
  const kept = {
    "host.json": JSON.stringify(host),
    nonce: "0".repeat(64),
    "attempts/job_1.1.0/attempt.json": "given",
    "attempts/job_1.1.0/log": "given",
    "setup/one": "",
    "agent.log": "given",
    ".hidden": "given",
    handed: given.map(path => `${path}\0`).join(""),
  };
  for (const [path, text] of Object.entries(kept)) sandbox.write(`${AGENT}/${path}`, text);
}

const left = ({ sandbox }: Machine): string[] =>
  ["host.json", "nonce", "attempts", "setup", "agent.log", ".hidden", "handed"].filter(name =>
    sandbox.has(`${AGENT}/${name}`),
  );
const files = ({ sandbox }: Machine): string[] =>
  [".netrc", "a b/key\nfile", "data"].filter(name => sandbox.has(`home/ada/${name}`));

/** The disk of a machine that has booted and worked, in another machine from here on. */
async function copied(): Promise<Machine> {
  const machine = await Machine.open();
  const { values } = machine.files.metadata;
  values.set("instance-id", "i-0fedcba9876543210");
  await machine.boot();
  expect(machine.sandbox.read("opt/muster/machine")).toBe("i-0fedcba9876543210\n");
  used(machine, "i-0fedcba9876543210");
  values.set("instance-id", HERE);
  machine.sandbox.write("calls", "");
  return machine;
}

test("a machine from an image keeps nothing of who it was and what jobs were given, before its agent starts", async () => {
  await using machine = await copied();
  const { sandbox } = machine;
  await machine.begin();
  expect(sandbox.calls).toContain(STOP);
  expect(sandbox.calls).not.toContain(START);
  expect([left(machine), files(machine)]).toEqual([[], ["data"]]);
  await machine.host();
  expect(sandbox.calls).toContain(START);
  expect(sandbox.read("opt/muster/machine")).toBe(`${HERE}\n`);
  expect(sandbox.read("home/ada/data")).toBe("own");
});

test("what was secret is written over before it is deleted, and what a link leads to is not", async () => {
  await using machine = await copied();
  const { sandbox } = machine;
  const { root } = sandbox;
  sandbox.standIn("shred", "exit 0");
  symlinkSync(join(root, "home/ada/data"), join(root, "home/ada/link"));
  sandbox.write(`${AGENT}/handed`, `${root}/home/ada/.netrc\0${root}/home/ada/link\0`);
  await machine.begin();
  const over = sandbox.calls.filter(call => call.startsWith("shred ")).join(" ");
  for (const path of ["host.json", "nonce", "attempts/job_1.1.0/attempt.json"]) expect(over).toContain(` ${path}`);
  expect(over).toContain(`${root}/home/ada/.netrc`);
  expect(over).not.toContain("link");
  expect([sandbox.has("home/ada/link"), sandbox.read("home/ada/data")]).toEqual([false, "own"]);
});

test("until cloud-init has run, what systemd starts of the other machine's does nothing", async () => {
  await using machine = await copied();
  await machine.host();
  expect(machine.sandbox.calls).not.toContain(START);
  expect(machine.sandbox.console).toContain("waits for cloud-init");
  await machine.boot();
  expect(machine.sandbox.calls).toContain(START);
});

test("nor while nobody says which machine it is", async () => {
  await using machine = await copied();
  const { sandbox, files: served } = machine;
  served.metadata.fault = 503;
  const child = sandbox.start([join(sandbox.root, "opt/muster/boot"), "host"]);
  await expect.poll(() => sandbox.calls.filter(call => call === "sleep 2").length).toBeGreaterThan(3);
  expect(sandbox.calls).not.toContain(START);
  served.metadata.fault = undefined;
  await expect.poll(() => child.exitCode).toBe(0);
  expect(sandbox.calls).not.toContain(START);
});

test("a disk of the same cluster, which has moved, loses who it was alone", async () => {
  await using machine = await copied();
  await machine.begin({ moved: true });
  expect(left(machine)).toEqual(["attempts", "setup", "agent.log", ".hidden", "handed"]);
  expect(files(machine)).toEqual([".netrc", "a b/key\nfile", "data"]);
  await machine.host();
  expect(machine.sandbox.calls).toContain(START);
});

test("an image of a machine that wrote down no id is cleared as well; who has registered here stays who it is", async () => {
  for (const [machineId, kept] of [
    ["i-0fedcba9876543210", []],
    [HERE, ["host.json", "nonce"]],
  ] as const) {
    await using machine = await Machine.open();
    used(machine, machineId);
    await machine.begin();
    expect([left(machine), files(machine)]).toEqual([kept, ["data"]]);
    await machine.host();
    expect(machine.sandbox.calls).toContain(START);
  }
});

test("a machine that was stopped and started loses nothing, also when cloud-init runs again", async () => {
  await using machine = await Machine.open();
  await machine.boot();
  used(machine, HERE);
  await machine.host();
  await machine.boot();
  expect([left(machine).length, files(machine).length]).toEqual([7, 3]);
  expect(machine.sandbox.calls).not.toContain(STOP);
  expect(machine.sandbox.calls.filter(call => call === START)).toHaveLength(3);
});
