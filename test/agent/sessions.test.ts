/** Who is on the machine, by what the process table says: a folder like /proc, and real processes that bear the names. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { sessions } from "../../packages/agent/src/idle/sessions.ts";
import { until } from "./support/until.ts";

const folder = mkdtempSync(join(tmpdir(), "ma-who-"));
afterAll(() => rmSync(folder, { recursive: true }));

interface Process {
  /** As the kernel has it. */
  readonly name: string;
  readonly title: string;
  /** Of the user who began it; root when absent. */
  readonly uid?: number;
  /** The user in whose name it works now, where that is another. */
  readonly works?: number;
  readonly parent?: number;
}

function table(all: Readonly<Record<number, Process>>): string {
  const proc = mkdtempSync(join(folder, "proc-"));
  mkdirSync(join(proc, "sys"));
  for (const [pid, { name, title, uid = 0, works = uid, parent = 1 }] of Object.entries(all)) {
    mkdirSync(join(proc, pid));
    writeFileSync(join(proc, pid, "comm"), `${name}\n`);
    writeFileSync(join(proc, pid, "cmdline"), title);
    const ids = `PPid:\t${parent}\nTracerPid:\t0\nUid:\t${uid}\t${works}\t${works}\t${works}\n`;
    writeFileSync(join(proc, pid, "status"), `Name:\t${name}\nState:\tS (sleeping)\n${ids}Gid:\t0\t0\t0\t0\n`);
  }
  return proc;
}

const tableOf = (...all: [name: string, title: string][]): string =>
  table(Object.fromEntries(all.map(([name, title], index) => [100 + index, { name, title }])));

test.each<[string, [string, string][], number]>([
  ["nobody", [["sshd", "sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups\0"]], 0],
  ["a shell", [["sshd", "sshd: ada@pts/0\0\0\0\0"]], 1],
  [
    "its two processes, once",
    [
      ["sshd", "sshd: ada [priv]\0"],
      ["sshd", "sshd: ada@pts/3"],
    ],
    1,
  ],
  ["three shells over one connection", [["sshd", "sshd: ada@pts/0,pts/1,pts/12\0"]], 3],
  ["a shell of OpenSSH 9.8", [["sshd-session", "sshd-session: ada@pts/0\0"]], 1],
  ["a user of a domain", [["sshd", "sshd: ada@corp.example@pts/7\0"]], 1],
  [
    "a copy, a tunnel, a login that goes on",
    [
      ["sshd", "sshd: ada@notty\0"],
      ["sshd", "sshd: ada\0"],
      ["sshd", "sshd: ada [net]\0"],
    ],
    0,
  ],
  ["a session of AWS's service", [["ssm-session-wor", "/usr/bin/ssm-session-worker\0ada-0123456789abcdef0\0"]], 1],
  [
    "the service itself",
    [
      ["ssm-agent-worke", "/usr/bin/ssm-agent-worker\0"],
      ["amazon-ssm-agen", "/usr/bin/amazon-ssm-agent\0"],
    ],
    0,
  ],
  [
    "what was left behind by one",
    [
      ["tmux: server", "tmux\0new\0-d\0"],
      ["mosh-server", "mosh-server\0new\0"],
    ],
    0,
  ],
  ["another program that says so", [["python3", "sshd: ada@pts/0\0"]], 0],
])("%s", (_, all, count) => {
  expect(sessions(tableOf(...all))).toBe(count);
});

const SSHD = { name: "sshd", title: "sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups" };
const ADA = { name: "sshd", title: "sshd: ada@pts/0", uid: 1000 };
const SSM = { name: "ssm-session-wor", title: "/usr/bin/ssm-session-worker" };

test.each<[string, Record<number, Process>, number]>([
  [
    "whom root's sshd let in",
    { 7: SSHD, 8: { ...SSHD, title: "sshd: ada [priv]", parent: 7 }, 9: { ...ADA, parent: 8 } },
    1,
  ],
  ["root, whom it also let in", { 7: SSHD, 8: { ...ADA, title: "sshd: root@pts/0", uid: 0, parent: 7 } }, 1],
  ["a job that calls itself a session", { 1: { name: "systemd", title: "init" }, 9: ADA }, 0],
  ["a job of the agent's that does", { 5: { name: "node", title: "agent" }, 9: { ...ADA, parent: 5 } }, 0],
  ["one that calls its parent so as well", { 8: { ...SSHD, uid: 1000 }, 9: { ...ADA, parent: 8 } }, 0],
  [
    "one that has a program with root's rights called so",
    { 8: { ...SSHD, uid: 1000, works: 0 }, 9: { ...ADA, parent: 8 } },
    0,
  ],
  ["one that is such a program", { 9: { ...ADA, works: 0 } }, 0],
  ["one that calls itself AWS's", { 9: { ...SSM, uid: 1000 }, 10: { ...SSM, uid: 1000, works: 0 } }, 0],
])("%s", (_, all, count) => {
  expect(sessions(table(all))).toBe(count);
});

test("without a process table nobody is there, and what goes while it is read is not", () => {
  expect(sessions(join(folder, "none"))).toBe(0);
  const proc = tableOf(["sshd", "sshd: ada@pts/0"]);
  mkdirSync(join(proc, "77"));
  expect(sessions(proc)).toBe(1);
});

/** A process of this machine by this name. */
function disguised(name: string, title: string, user?: number): ChildProcess {
  const place = mkdtempSync(join(folder, "bin-"));
  chmodSync(place, 0o755);
  const program = join(place, name);
  copyFileSync("/bin/sleep", program);
  return spawn(program, ["1000"], { argv0: title, ...(user !== undefined && { uid: user, gid: user }) });
}

/** How many sessions there are while these run. */
async function during(all: readonly ChildProcess[]): Promise<number> {
  try {
    await until("their names", () => all.every(({ pid }) => /^ss/.test(readFileSync(`/proc/${pid}/comm`, "utf8"))));
    return sessions();
  } finally {
    for (const one of all) {
      one.kill("SIGKILL");
      await once(one, "exit");
    }
  }
}

const NAMES = [
  ["sshd", "sshd: ada@pts/0"],
  ["sshd-session", "sshd-session: ada@pts/1"],
  ["ssm-session-worker", "/usr/bin/ssm-session-worker"],
  ["sshd", "sshd: ada@notty"],
] as const;
const isRoot = process.getuid?.() === 0;

test("processes of this machine are counted by what they are, and by whose they are", async () => {
  const before = sessions();
  expect(await during(NAMES.map(([name, title]) => disguised(name, title)))).toBe(before + (isRoot ? 3 : 0));
  if (isRoot) {
    chmodSync(folder, 0o755);
    expect(await during(NAMES.map(([name, title]) => disguised(name, title, 65_534)))).toBe(before);
  }
  expect(sessions()).toBe(before);
});
