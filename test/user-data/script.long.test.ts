import { readdirSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ASK } from "../../packages/aws/src/ec2/user-data/ask.ts";
import { type UserData, userData } from "../../packages/aws/src/ec2/user-data/user-data.ts";
import { CREDENTIALS } from "../agent/support/machine.ts";
import { until } from "../agent/support/until.ts";
import { archive, asking, Machine } from "./support/machine.ts";
import { type Files, place, Sandbox, usual } from "./support/sandbox.ts";

const UNITS = "etc/systemd/system";
const ARMED = ["systemctl daemon-reload", "systemctl enable --now muster-stop.timer"];
const START = "systemctl start muster-agent.service";

test("values that do not look like what they should be are refused", () => {
  const hosts = "a.b ftp://a.b http://a.b http://localhost.a.b http://127.0.0.1.a https:// https://a:b@c".split(" ");
  const ends = "/ ?a=b #a : :x ' /'reboot' /$(reboot) /`reboot` /a;b /a\\".split(" ");
  const hashes = ["", "a".repeat(63), "a".repeat(65), "A".repeat(64), `${"a".repeat(64)}\n`, `${"a".repeat(63)}'`];
  const wrong = {
    endpoint: [...hosts, ...[...ends, "\n", "\nreboot", " ", `/${"x".repeat(500)}`].map(end => `https://a.b${end}`)],
    region: ["", "here", "eu-central", "EU-central-1", "eu-central-1a", "eu-central-1\n", "eu'-central-1"],
    agentSha256: hashes,
    nodeSha256: hashes.flatMap(hash => ["x64", "arm64"].map(arch => ({ ...usual().nodeSha256, [arch]: hash }))),
    bootGraceSeconds: [299, 86_401, 600.5, Number.NaN, Number.POSITIVE_INFINITY, -600, "600"],
    jobUser: ["", "Mira", "1mira", "mi ra", "mira\n", "mira;reboot", "$(reboot)", "a".repeat(33)],
  };
  for (const [name, values] of Object.entries(wrong))
    for (const value of values)
      expect(() => userData({ ...usual(), [name]: value }), `${name} ${value}`).toThrow(`"${name}"`);
});

test("the script holds the values that it was given, and nothing else depends on them", async () => {
  using sandbox = new Sandbox();
  const many: UserData[] = [
    usual({ endpoint: "http://127.0.0.1:8080", region: "cn-north-1", bootGraceSeconds: 300, jobUser: "_a-b" }),
    usual({ endpoint: "https://a-b.example.com:8443/v/~x", region: "us-gov-east-1", bootGraceSeconds: 86_400 }),
  ];
  const rest = userData(usual()).split("\n").slice(8);
  for (const options of many) {
    const more = { ...options, token: "mst_1", endpoint2: "x" };
    expect(userData(more).split("\n").slice(8)).toEqual(rest);
    const names = ["ENDPOINT", "REGION", "AGENT", "NODE_X64", "NODE_ARM64", "GRACE", "JOB_USER"];
    const read = `source <(sed -n 2,8p "$0"); printf '%s\\n' ${names.map(name => `"$${name}"`).join(" ")}`;
    const { endpoint, region, agentSha256, nodeSha256, bootGraceSeconds, jobUser } = options;
    const values = [endpoint, region, agentSha256, nodeSha256.x64, nodeSha256.arm64, bootGraceSeconds, jobUser];
    expect((await sandbox.run("-c", read, place(sandbox, more))).said).toBe(`${values.join("\n")}\n`);
  }
});

test("the script is small, plain text, without anything that looks like a token", () => {
  const { jobUser: _, ...options } = usual();
  const script = userData(options);
  expect(Buffer.byteLength(script)).toBeLessThanOrEqual(14_000);
  expect(script).toMatch(/^#!\/bin\/bash\n[\n -~]*\n$/);
  // That part is the same everywhere, and speaks of secrets that the machine itself is given.
  expect(script).toContain(ASK);
  expect(script.replace(ASK, "")).not.toMatch(
    /\b(ms[a-z]_|A[A-Z]IA[A-Z0-9]{12}|eyJ)|bearer|authorization|secret|password|PRIVATE KEY/i,
  );
  const hashed = /\b(AGENT|NODE_X64|NODE_ARM64|at|sum)=/;
  const long = script.split("\n").filter(line => /[A-Za-z0-9]{24}/.test(line));
  expect(long.filter(line => !hashed.test(line))).toEqual([]);
  expect(long.flatMap(line => line.match(/[A-Za-z0-9]{24,}/g)).filter(run => /[^0-9a-f]/.test(run ?? ""))).toEqual([]);
});

test("bash can read the script, and every program that it writes", async () => {
  await using machine = await Machine.open();
  const { sandbox } = machine;
  await machine.boot();
  const programs = ["stop-check", "stop-agent", "tool", "boot"].map(name => `opt/muster/${name}`);
  for (const path of [...programs, "usr/local/bin/muster-agent", "var/lib/cloud/part-001"])
    expect(await sandbox.run("-n", join(sandbox.root, path)), path).toEqual({ code: 0, said: "" });
});

test("the power-off timer is armed before anything else, by cloud-init and at every boot", async () => {
  for (const mode of [[], ["host"]]) {
    await using machine = await Machine.open();
    const { sandbox } = machine;
    const list = `find '${sandbox.root}/opt' '${sandbox.root}/etc' -type f -printf '%f\\n' | sort >>'${sandbox.root}/then'`;
    sandbox.standIn("systemctl", `[ "$*" != "enable --now muster-stop.timer" ] || ${list}`);
    await sandbox.run(machine.script({ bootGraceSeconds: 900 }), ...mode);
    expect(sandbox.calls.slice(0, 2)).toEqual(ARMED);
    expect(sandbox.read("then")).toBe("muster-stop.service\nmuster-stop.timer\nstop-check\n");
    expect(sandbox.console).toMatch(/^\[muster\] the power-off timer is armed: 900 s after boot\r\n/);
  }
});

test("cloud-init only leaves a copy, which systemd runs as a service, without waiting for it", async () => {
  await using machine = await Machine.open();
  const { sandbox, files } = machine;
  await machine.begin();
  const then = ["daemon-reload", "enable muster-boot.service", "start --no-block muster-boot.service"];
  expect(sandbox.calls).toEqual([...ARMED, ...then.map(call => `systemctl ${call}`)]);
  expect(files.asked).toEqual([]);
  expect(machine.written().get("opt/muster/boot")).toBe(`100755 ${sandbox.read("var/lib/cloud/part-001")}`);
  const unit = sandbox.read(`${UNITS}/muster-boot.service`).split("\n");
  const exec = `ExecStart=${sandbox.root}/opt/muster/boot host`;
  expect(unit).toEqual(expect.arrayContaining([exec, "Restart=on-failure", "WantedBy=multi-user.target"]));
  const timer = sandbox.read(`${UNITS}/muster-stop.timer`).split("\n");
  expect(timer).toEqual(expect.arrayContaining(["OnBootSec=60", "OnUnitActiveSec=60", "WantedBy=timers.target"]));
  const check = sandbox.read(`${UNITS}/muster-stop.service`).split("\n");
  // What looks never ends by itself where it hangs, and no other begins before it has.
  expect(check).toEqual(
    expect.arrayContaining([`ExecStart=${sandbox.root}/opt/muster/stop-check`, "Type=oneshot", "TimeoutStartSec=50"]),
  );
});

test("runtime and agent are fetched by their hashes, and the agent becomes a service", async () => {
  await using machine = await Machine.open();
  const { sandbox, files, sums } = machine;
  await machine.boot({ jobUser: "mira" });
  expect(files.asked).toEqual([...asking(sums.node), ...asking(sums.agent)]);
  expect(files.turnedAway).toEqual([]);
  const hashed = [...machine.written().keys()].filter(path => /\/[0-9a-f]{64}\//.test(path));
  expect(hashed).toEqual([machine.bundle, machine.runtime].sort());
  expect(sandbox.read(machine.bundle)).toBe(machine.agent.toString());
  const { root } = sandbox;
  const run = `run --home ${root}/var/lib/muster --endpoint ${files.url} --register ec2 --session-agent-within 60 --run-as mira`;
  const end = `--power-off "systemctl poweroff" --deadline-file ${root}/run/muster/deadline`;
  expect(sandbox.read(`${UNITS}/muster-agent.service`).split("\n")).toEqual(
    expect.arrayContaining([
      `ExecStart=${root}/${machine.runtime} ${root}/${machine.bundle} ${run} ${end}`,
      `ExecStop=-${root}/opt/muster/stop-agent`,
      ...["KillMode=process", "KillSignal=SIGKILL", "Restart=always", "StartLimitIntervalSec=0", "OOMScoreAdjust=-500"],
    ]),
  );
  expect(sandbox.calls.filter(call => call.startsWith("systemctl")).slice(-2)).toEqual([ARMED[0], START]);
  expect(sandbox.console).toMatch(/\[muster\] the agent is started\r\n$/);
});

test("muster-agent runs the agent as root, with the machine's home and whatever it was told", async () => {
  await using machine = await Machine.open();
  const { sandbox } = machine;
  await machine.boot();
  const path = join(sandbox.root, "usr/local/bin/muster-agent");
  const said = `${JSON.stringify(["kick", "a  b", "--home", `${sandbox.root}/var/lib/muster`])}\n`;
  sandbox.user(0);
  expect(await sandbox.run(path, "kick", "a  b")).toEqual({ code: 0, said });
  expect(sandbox.calls).not.toContain(`sudo -n ${path} kick a  b`);
  sandbox.user(1000);
  expect(await sandbox.run(path, "kick", "a  b")).toEqual({ code: 0, said });
  expect(sandbox.calls).toContain(`sudo -n ${path} kick a  b`);
});

/** Stands before the files: breaks off as many downloads half way, and passes on the rest. */
async function breaking(files: Files, downloads: number): Promise<{ url: string } & Disposable> {
  let left = downloads;
  const server = createServer(async (request, response) => {
    const headers = { ...(request.headers as Record<string, string>), "x-forwarded-host": request.headers.host ?? "" };
    const answer = Buffer.from(await (await fetch(`${files.url}${request.url}`, { headers })).arrayBuffer());
    if (request.url?.startsWith("/v1/")) return response.end(answer.toString().replace(files.url, url));
    response.writeHead(200, { "content-length": answer.length });
    if (left-- <= 0) return response.end(answer);
    return response.write(answer.subarray(0, answer.length / 2), () => response.destroy());
  });
  await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, [Symbol.dispose]: () => void server.close() };
}

test("a control plane or a bucket that is not there is asked again, ever more slowly", async () => {
  await using machine = await Machine.open();
  const { sandbox, files, sums } = machine;
  files.failures.push(503, 500, 503, 503, 200, 503, 200, 403, 200, 200, 503);
  await machine.boot();
  const [ask, get] = asking(sums.node);
  const node = [ask, ask, ask, ask, ask, get, ask, get, ask, get];
  expect(files.asked).toEqual([...node, ...asking(sums.agent).slice(0, 1), ...asking(sums.agent)]);
  const pauses = sandbox.calls.filter(call => call.startsWith("sleep ")).map(call => Number(call.slice(6)));
  const least = [2, 4, 8, 16, 32, 64, 60];
  expect(pauses).toHaveLength(least.length);
  for (const [turn, seconds] of least.entries()) {
    expect(pauses[turn]).toBeGreaterThanOrEqual(seconds);
    expect(pauses[turn]).toBeLessThan(2 * seconds);
  }
  expect(sandbox.console).not.toContain("another hash");
  expect(sandbox.calls.filter(call => call === START)).toHaveLength(1);
});

test("a machine whose role has no credentials yet asks again, and nothing of them is said", async () => {
  await using machine = await Machine.open();
  const { sandbox, files } = machine;
  files.metadata.fault = 503;
  const end = machine.boot();
  await until("two tries", () => sandbox.console.split("does not tell where to get").length > 2);
  files.metadata.fault = undefined;
  files.metadata.grant({ ...CREDENTIALS, secretAccessKey: "another" });
  await until("a refusal", () => files.turnedAway[0]);
  files.metadata.grant(CREDENTIALS);
  await end;
  expect(new Set(files.turnedAway)).toEqual(new Set(["The request signature does not match."]));
  for (const secret of Object.values(CREDENTIALS)) expect(sandbox.console).not.toContain(secret);
});

test("downloads that break off are begun again", async () => {
  await using machine = await Machine.open();
  const { sandbox, files, sums } = machine;
  using front = await breaking(files, 2);
  await machine.boot({ endpoint: front.url });
  expect(sandbox.console.match(/[0-9a-f]{64} cannot be had/g)).toEqual(Array(2).fill(`${sums.node} cannot be had`));
  expect(sandbox.read(machine.bundle)).toBe(machine.agent.toString());
});

test("what has another hash is never installed, and the right one is taken when it is there", async () => {
  for (const part of ["node", "agent"] as const) {
    await using machine = await Machine.open();
    const { sandbox, files, sums } = machine;
    files.put(sums[part], part === "node" ? archive(sandbox, "package") : Buffer.from("throw 1"));
    const end = machine.boot();
    await until("two refusals", () => sandbox.console.split(`${sums[part]} has another hash: not taken`).length > 2);
    expect(sandbox.has(part === "node" ? machine.runtime : machine.bundle)).toBe(false);
    expect(sandbox.calls).not.toContain(START);
    files.put(sums[part], machine[part]);
    await end;
    expect(sandbox.calls).toContain(START);
    expect([...machine.written().keys()].filter(path => /\.(part|new)$|archive$/.test(path))).toEqual([]);
  }
});

test("the runtime is the processor's own, in an archive of nodejs.org's form or of npm's", async () => {
  for (const top of ["node-v24.21.0-linux-arm64", "package"]) {
    await using machine = await Machine.open();
    const { sandbox, files, sums } = machine;
    const arm64 = files.add(archive(sandbox, top));
    sandbox.standIn("uname", "echo aarch64");
    await machine.boot({ nodeSha256: { x64: sums.node, arm64 } });
    expect(files.asked).toEqual([...asking(arm64), ...asking(sums.agent)]);
    const node = `${sandbox.root}/opt/muster/${arm64}/bin/node`;
    expect(sandbox.read(`${UNITS}/muster-agent.service`)).toContain(`\nExecStart=${node} `);
    expect(readdirSync(join(sandbox.root, "opt/muster", arm64))).toEqual(["bin"]);
    expect((await sandbox.run(join(sandbox.root, "usr/local/bin/muster-agent"))).said).toContain('["--home",');
  }
});

test("a second run and a second boot change nothing and fetch nothing, but what was damaged", async () => {
  await using machine = await Machine.open();
  const { sandbox, files, sums } = machine;
  await machine.boot();
  const before = machine.written();
  files.asked.splice(0);
  await machine.boot();
  await machine.host();
  expect(files.asked).toEqual([]);
  expect(machine.written()).toEqual(before);
  expect(sandbox.calls.filter(call => call === START)).toHaveLength(3);
  sandbox.write(machine.runtime, "");
  sandbox.write(machine.bundle, "half");
  await machine.host();
  expect(files.asked).toEqual([...asking(sums.node), ...asking(sums.agent)]);
  expect(machine.written()).toEqual(before);
});
