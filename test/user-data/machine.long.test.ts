/**
 * What the boot script does to the machine itself: the power-off timer, scratch disks, the jobs' user, tools. Run by this
 * machine's bash in a folder that stands for the disk, with stand-ins for what would change the machine.
 */
import { lstatSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { place, Sandbox, usual } from "./support/sandbox.ts";

/** Runs one function of the script. */
async function only(sandbox: Sandbox, name: string, options = usual()): Promise<{ code: number; said: string }> {
  const script = place(sandbox, options);
  return sandbox.run("-c", `source <(sed '$d' "$0"); ${name}`, script);
}

async function check(uptime: number, deadline?: string): Promise<string[]> {
  using sandbox = new Sandbox();
  await only(sandbox, "arm");
  sandbox.uptime(uptime);
  if (deadline !== undefined) sandbox.write("run/muster/deadline", deadline);
  const before = sandbox.calls.length;
  await sandbox.run(join(sandbox.root, "opt/muster/stop-check"));
  return sandbox.calls.slice(before);
}

test("a machine whose agent was never heard is powered off when its grace is over, and not before", async () => {
  expect(await check(1800)).toEqual([]);
  expect(await check(1801)).toEqual(["systemctl poweroff"]);
});

test("an agent moves the end, to later and to sooner", async () => {
  expect(await check(90_000, "90000\n")).toEqual([]);
  expect(await check(90_001, "90000\n")).toEqual(["systemctl poweroff"]);
  expect(await check(601, "600\n")).toEqual(["systemctl poweroff"]);
});

test("what is no number counts as if nothing was written", async () => {
  for (const text of ["", "\n", "soon\n", "-1\n", "0x99999\n", "9".repeat(13), "1;reboot\n", "a[$(reboot)]\n"]) {
    expect(await check(1800, text), text).toEqual([]);
    expect(await check(1801, text), text).toEqual(["systemctl poweroff"]);
  }
  expect(await check(1799, "09\n")).toEqual(["systemctl poweroff --force --force"]);
});

test("a machine that does not go down is cut off after ten minutes", async () => {
  expect(await check(2400)).toEqual(["systemctl poweroff"]);
  expect(await check(2401)).toEqual(["systemctl poweroff --force --force"]);
});

test("where systemd does not listen, shutdown is asked", async () => {
  using sandbox = new Sandbox();
  await only(sandbox, "arm");
  sandbox.standIn("systemctl", "exit 1");
  sandbox.uptime(9_999);
  sandbox.write("run/muster/deadline", "9998\n");
  await sandbox.run(join(sandbox.root, "opt/muster/stop-check"));
  expect(sandbox.calls.slice(-2)).toEqual(["systemctl poweroff", "shutdown -P now"]);
  expect(sandbox.console).toContain("it powers off");
});

/** lsblk of a machine with these disks: name, model, what is on it. */
function disks(sandbox: Sandbox, ...all: [name: string, model: string, content?: string][]): void {
  const cases = all.map(
    ([name, , content = ""]) => `*FSTYPE*${name}) echo "${content} " ;; *NAME*/dev/${name}) echo ${name} ;;`,
  );
  const list = all.map(([name, model]) => `echo "/dev/${name} ${model}"`).join("; ");
  sandbox.standIn("lsblk", `case "$*" in -dnpo*) ${list} ;; ${cases.join(" ")} esac`);
}

const LOCAL = "Amazon EC2 NVMe Instance Storage";
const EBS = "Amazon Elastic Block Store";
const storage = (sandbox: Sandbox): string[] =>
  sandbox.calls.filter(call => /^(mount|mkfs.ext4|mdadm) /.test(call)).map(call => call.replace(sandbox.root, ""));

test("an instance's own disk is formatted and mounted; a volume never is", async () => {
  using sandbox = new Sandbox();
  disks(sandbox, ["nvme0n1", EBS], ["nvme1n1", LOCAL]);
  await only(sandbox, "storage");
  expect(storage(sandbox)).toEqual([
    "mkfs.ext4 -q -F -E nodiscard -L muster-scratch /dev/nvme1n1",
    "mount -o noatime /dev/nvme1n1 /mnt/scratch",
  ]);
});

test("several disks become one, or the first alone where mdadm fails", async () => {
  for (const [outcome, device] of [
    ["", "/dev/md/muster"],
    ["exit 1", "/dev/nvme1n1"],
  ] as const) {
    using sandbox = new Sandbox();
    disks(sandbox, ["nvme1n1", LOCAL], ["nvme2n1", LOCAL]);
    sandbox.standIn("mdadm", outcome);
    await only(sandbox, "storage");
    expect(storage(sandbox)).toEqual([
      "mdadm --create /dev/md/muster --run --level=0 --raid-devices=2 /dev/nvme1n1 /dev/nvme2n1",
      `mkfs.ext4 -q -F -E nodiscard -L muster-scratch ${device}`,
      `mount -o noatime ${device} /mnt/scratch`,
    ]);
  }
});

test("after a reboot the disk is mounted as it is; one in use, or mounted already, is let alone", async () => {
  using after = new Sandbox();
  disks(after, ["nvme1n1", LOCAL, "ext4"]);
  after.standIn("blkid", "echo /dev/nvme1n1");
  await only(after, "storage");
  expect(storage(after)).toEqual(["mount -o noatime /dev/nvme1n1 /mnt/scratch"]);
  using used = new Sandbox();
  disks(used, ["nvme1n1", LOCAL, "LVM2_member"]);
  await only(used, "storage");
  expect(storage(used)).toEqual([]);
  using mounted = new Sandbox();
  disks(mounted, ["nvme1n1", LOCAL]);
  mounted.standIn("mountpoint", `[ "$2" = "${mounted.root}/mnt/scratch" ]`);
  await only(mounted, "storage");
  expect(storage(mounted)).toEqual([]);
});

test("scratch leads to the volume that a deep learning image has made", async () => {
  using sandbox = new Sandbox();
  disks(sandbox, ["nvme1n1", LOCAL]);
  sandbox.standIn("mountpoint", `[ "$2" = "${sandbox.root}/opt/dlami/nvme" ]`);
  sandbox.write("mnt/here", "");
  sandbox.write("opt/dlami/nvme/here", "");
  await only(sandbox, "storage");
  await only(sandbox, "storage");
  expect(storage(sandbox)).toEqual([]);
  expect(readlinkSync(join(sandbox.root, "mnt/scratch"))).toBe(`${sandbox.root}/opt/dlami/nvme`);
});

test("the jobs' user is the image's, the one that was named, or a new one; it may become root", async () => {
  const cases = [
    ["ubuntu admin", undefined, "ubuntu"],
    ["ec2-user", undefined, "ec2-user"],
    ["ubuntu mira", "mira", "mira"],
    ["", undefined, "muster"],
  ] as const;
  for (const [there, named, expected] of cases) {
    using sandbox = new Sandbox();
    sandbox.standIn("id", `[[ " ${there} " == *" $2 "* ]]`);
    sandbox.standIn("getent", "exit 2");
    const { jobUser: _, ...options } = usual();
    await only(sandbox, "people", named === undefined ? options : { ...options, jobUser: named });
    expect(sandbox.read("etc/sudoers.d/90-muster").split("\n")[1]).toBe(`${expected} ALL=(ALL) NOPASSWD:ALL`);
    expect(lstatSync(join(sandbox.root, "etc/sudoers.d/90-muster")).mode & 0o777).toBe(0o440);
    expect(sandbox.calls.filter(call => call.startsWith("useradd"))).toHaveLength(expected === "muster" ? 1 : 0);
  }
});

test("the user's .bashrc is kept, and gets one line at its top, once", async () => {
  using sandbox = new Sandbox();
  sandbox.standIn("getent", "echo mira:x:1000:1000::/home/mira:/bin/bash");
  sandbox.standIn("id", "");
  sandbox.write("home/mira/.bashrc", "case $- in *i*) ;; *) return ;; esac\necho never\n");
  const options = usual({ jobUser: "mira" });
  await only(sandbox, "people; tools", options);
  await only(sandbox, "people; tools", options);
  const [line, ...rest] = sandbox.read("home/mira/.bashrc").split("\n");
  expect(line).toContain("/opt/muster/bashrc # muster");
  expect(rest).toEqual(["case $- in *i*) ;; *) return ;; esac", "echo never", ""]);
  const said = await sandbox.run(
    "-euc",
    `. ${sandbox.root}/home/mira/.bashrc; echo "$PIP_BREAK_SYSTEM_PACKAGES"; type -t conda`,
  );
  expect(said).toEqual({ code: 0, said: "1\nfunction\n" });
});

/** A machine without any of the tools, for whose PATH only these folders count. */
async function bare(): Promise<Sandbox> {
  const sandbox = new Sandbox();
  const basic = [
    "bash",
    "mkdir",
    "cat",
    "chmod",
    "mv",
    "ln",
    "cut",
    "flock",
    "uname",
    "sha256sum",
    "rm",
    "tr",
    "sed",
    "python3",
  ];
  const links = basic.map(name => `ln -s "$(command -v ${name})" ${sandbox.bin}/${name}`);
  await sandbox.run("-c", links.join("; "));
  sandbox.standIn("id", "echo 0");
  sandbox.standIn("systemctl", '[[ "$*" != *ssm* ]]');
  const script = place(sandbox, usual());
  await sandbox.run("-c", `PATH=${sandbox.bin}; source <(sed '$d' "$0"); PATH=${sandbox.bin}; tools`, script);
  return sandbox;
}

const shim = (sandbox: Sandbox, line: string): Promise<{ code: number; said: string }> =>
  sandbox.run("-c", `PATH=${sandbox.root}/usr/local/bin:${sandbox.bin}; ${line}`);

test("tools that an image lacks get stand-ins; docker, pip and the session agent are begun at once, elsewhere", async () => {
  using sandbox = await bare();
  for (const name of ["uv", "uvx", "conda", "mamba", "docker", "pip"])
    expect(readlinkSync(join(sandbox.root, "usr/local/bin", name))).toBe(`${sandbox.root}/opt/muster/tool`);
  expect(sandbox.has("usr/local/bin/python")).toBe(true);
  const begun = sandbox.read("etc/systemd/system/muster-tools.service").match(/^ExecStart=.*$/gm);
  expect(begun?.map(line => line.split(" ")[1])).toEqual(["docker", "pip", "amazon-ssm-agent"]);
  expect(sandbox.calls.at(-1)).toBe("systemctl start --no-block muster-tools.service");
});

test("a tool is installed once, however many ask for it at the same time", async () => {
  using sandbox = await bare();
  const docker = `${sandbox.root}/usr/bin/docker`;
  sandbox.write("usr/bin/here", "");
  const install = `if [[ "$*" == *install* ]]; then printf '#!/bin/bash\\necho "docker $*"\\n' >${docker}; chmod 755 ${docker}; fi`;
  sandbox.standIn("apt-get", install);
  const all = await shim(sandbox, 'for i in 1 2 3 4 5; do docker run "$i  x" & done; wait');
  expect(all.said.trim().split("\n").sort()).toEqual([1, 2, 3, 4, 5].map(i => `docker run ${i}  x`));
  expect(sandbox.calls.filter(call => call.includes(" install "))).toHaveLength(1);
});

test("what has another hash is not installed", async () => {
  using sandbox = await bare();
  sandbox.standIn("curl", 'while [ "$1" != -o ]; do shift; done; echo junk >"$2"');
  const { code, said } = await shim(sandbox, "uv --version");
  expect(code).not.toBe(0);
  expect(said).toContain("could not be had (5)");
  expect(sandbox.has("opt/muster/uv/uv")).toBe(false);
  expect((await shim(sandbox, "conda --version")).code).not.toBe(0);
  expect(sandbox.has("opt/conda")).toBe(false);
});
