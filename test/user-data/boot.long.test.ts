/**
 * From the boot script to a host that runs jobs: the real script and the real agent, in a folder that stands for the disk. The
 * stand-in of systemctl starts what the units say. The control plane and the metadata service are servers of our own; the
 * agent's signature is checked by AWS's signing code.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir, uptime } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { list, MARKER } from "../../packages/agent/src/script/processes.ts";
import { bundle } from "../agent/support/bench.ts";
import { CREDENTIALS } from "../agent/support/machine.ts";
import { FakeMetadata } from "../agent/support/metadata.ts";
import { Plane } from "../agent/support/plane.ts";
import { until } from "../agent/support/until.ts";
import { endGroup, place, runtime, Sandbox, sha256, usual } from "./support/sandbox.ts";

class Machine {
  readonly sandbox = new Sandbox();
  readonly plane: Plane;
  readonly metadata: FakeMetadata;

  private constructor(plane: Plane, metadata: FakeMetadata) {
    this.plane = plane;
    this.metadata = metadata;
  }

  static async open(): Promise<Machine> {
    const machine = new Machine(await Plane.open(), await FakeMetadata.open());
    machine.metadata.grant(CREDENTIALS);
    machine.plane.trusted.credentials = [CREDENTIALS];
    machine.plane.pollAfter = 200;
    machine.sandbox.metadata = machine.metadata.url;
    machine.#stand();
    return machine;
  }

  /** Serves runtime and agent, and says what the script has to know of them. */
  options(): ReturnType<typeof usual> {
    const folder = mkdtempSync(join(tmpdir(), "mb-"));
    const agentSha256 = this.#serve(readFileSync(bundle(folder)));
    rmSync(folder, { recursive: true });
    const node = this.#serve(runtime());
    return usual({ endpoint: this.plane.url, agentSha256, nodeSha256: { x64: node, arm64: node } });
  }

  #serve(bytes: Buffer): string {
    this.plane.inputs.set(sha256(bytes), bytes);
    return sha256(bytes);
  }

  #stand(): void {
    const { root } = this.sandbox;
    const uid = `${process.getuid?.()}:${process.getgid?.()}`;
    this.sandbox.standIn("getent", `echo "$2:x:${uid}::${root}/home/jobs:/bin/bash"`);
    this.sandbox.standIn(
      "systemctl",
      `case "$*" in
"start muster-agent.service") more="--metadata ${this.metadata.url} --session-agent-within 0" ;;
"start --no-block muster-boot.service") more= ;;
*) exit 0 ;;
esac
line=$(sed -n 's/^ExecStart=//p' "${root}/etc/systemd/system/\${!#}")
setsid bash -c "echo \\$\\$ >>${root}/started; exec $line $more" >>"${root}/said" 2>&1 &`,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { sandbox } = this;
    // The agent first, or it would see its jobs end.
    const started = sandbox.has("started") ? sandbox.read("started").split("\n") : [];
    for (const pid of started.map(Number)) if (pid > 1) endGroup(pid);
    const mark = { environment: `${MARKER}=${sandbox.root}/`, command: `${sandbox.root}/var/lib/muster/` };
    for (const one of list(mark)) if (one.marked && one.pid > 1) endGroup(one.group);
    await this.plane.close();
    await this.metadata[Symbol.asyncDispose]();
    sandbox[Symbol.dispose]();
  }
}

test("a machine boots, registers, runs a job, is kicked, and powers off when nobody keeps it", async () => {
  await using machine = await Machine.open();
  const { sandbox, plane } = machine;
  plane.powerOff = { afterSilence: 4 };
  plane.faults.set("register", 503);
  expect(await sandbox.run(place(sandbox, machine.options()))).toMatchObject({ code: 0 });
  await until("the agent to ask in vain", () => agentLog(sandbox).includes("HTTP 503 unavailable"));
  plane.assign("job_a", { run: "echo $HOME; id -un" });
  plane.faults.delete("register");
  await until("the job", () => plane.exit("job_a"));
  expect(plane.log("job_a")).toBe(`${sandbox.root}/home/jobs\n${usual().jobUser}\n`);
  expect(plane.registrations[0]?.facts).toMatchObject({ machineId: "i-0123456789abcdef0", market: "spot" });
  expect(sandbox.console).toContain("[muster] the agent is started");

  const deadline = Number(
    await until("the deadline", () => sandbox.has("run/muster/deadline") && sandbox.read("run/muster/deadline")),
  );
  expect(deadline).toBeGreaterThan(uptime() + 290);
  sandbox.uptime(deadline);
  await sandbox.run(join(sandbox.root, "opt/muster/stop-check"));
  expect(sandbox.calls).not.toContain("systemctl poweroff");

  plane.pollAfter = 1_500;
  const polls = plane.polls.length;
  await until("a poll that tells to wait", () => plane.polls.length > polls);
  await sandbox.run(join(sandbox.root, "usr/local/bin/muster-agent"), "kick");
  await until("the kick's poll", () => plane.polls.length > polls + 1);

  plane.faults.set("poll", "cut");
  await until("the end", () => sandbox.calls.includes("systemctl poweroff"));
});

test("stop-agent ends the jobs only when the machine goes down", async () => {
  await using machine = await Machine.open();
  const { sandbox, plane } = machine;
  plane.assign("job_a", { run: "echo begun; exec /bin/sleep 1000" });
  await sandbox.run(place(sandbox, machine.options()));
  await until("the job", () => plane.log("job_a") === "begun\n");
  const stop = join(sandbox.root, "opt/muster/stop-agent");
  sandbox.standIn("systemctl", '[ "$1" = is-system-running ] && echo running; exit 1');
  await sandbox.run(stop);
  const polls = plane.polls.length;
  await until("more polls", () => plane.polls.length > polls + 1);
  sandbox.standIn("systemctl", '[ "$1" = is-system-running ] && echo stopping; exit 1');
  await sandbox.run(stop);
  expect(sandbox.read("var/lib/muster/agent/agent.log")).toContain('"agent ends"');
  expect(sandbox.has("var/lib/muster/agent/attempts/job_a-1/halted")).toBe(true);
});

function agentLog(sandbox: Sandbox): string {
  const path = "var/lib/muster/agent/agent.log";
  return sandbox.has(path) ? sandbox.read(path) : "";
}
