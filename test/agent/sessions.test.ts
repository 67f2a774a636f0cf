/** Who is on the machine, by what the process table says: a folder like /proc, and real processes that bear the names. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { sessions } from "../../packages/agent/src/idle/sessions.ts";
import { until } from "./support/until.ts";

const folder = mkdtempSync(join(tmpdir(), "ma-who-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A process table of these: the program's name as the kernel has it, and its title. */
function table(...all: [name: string, title: string][]): string {
  const proc = mkdtempSync(join(folder, "proc-"));
  mkdirSync(join(proc, "sys"));
  for (const [index, [name, title]] of all.entries()) {
    mkdirSync(join(proc, `${100 + index}`));
    writeFileSync(join(proc, `${100 + index}`, "comm"), `${name}\n`);
    writeFileSync(join(proc, `${100 + index}`, "cmdline"), title);
  }
  return proc;
}

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
  expect(sessions(table(...all))).toBe(count);
});

test("without a process table nobody is there, and what goes while it is read is not", () => {
  expect(sessions(join(folder, "none"))).toBe(0);
  const proc = table(["sshd", "sshd: ada@pts/0"]);
  mkdirSync(join(proc, "77"));
  expect(sessions(proc)).toBe(1);
});

/** A process of this machine by this name. */
function disguised(name: string, title: string): ChildProcess {
  const program = join(mkdtempSync(join(folder, "bin-")), name);
  copyFileSync("/bin/sleep", program);
  return spawn(program, ["1000"], { argv0: title });
}

test("processes of this machine are counted by what they are", async () => {
  const before = sessions();
  const all = [
    disguised("sshd", "sshd: ada@pts/0"),
    disguised("sshd-session", "sshd-session: ada@pts/1"),
    disguised("ssm-session-worker", "/usr/bin/ssm-session-worker"),
    disguised("sshd", "sshd: ada@notty"),
  ];
  try {
    await until("their names", () => all.every(({ pid }) => /^ss/.test(readFileSync(`/proc/${pid}/comm`, "utf8"))));
    expect(sessions() - before).toBe(3);
  } finally {
    for (const one of all) {
      one.kill("SIGKILL");
      await once(one, "exit");
    }
  }
  expect(sessions()).toBe(before);
});
