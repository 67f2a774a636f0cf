/** The agent's own part of a user's SSH files: real files, bash and ssh-keygen; no host is reached. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { withBlock } from "../../packages/agent/src/gang/block.ts";
import { OwnFiles } from "../../packages/agent/src/gang/own-files.ts";
import { Peers } from "../../packages/agent/src/gang/peers.ts";
import { list } from "../../packages/agent/src/script/processes.ts";

const isAlive = (pid: number): boolean => list({ environment: "", command: "" }).some(one => one.pid === pid);

const BEGIN = "# muster: begin (for jobs of several hosts; written by Muster's agent)";
const END = "# muster: end";
const keyOf = (letter: string): string => `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${letter.repeat(43)}`;
const [A, B] = ["a", "b"].map(letter => ({ address: letter === "a" ? "10.0.0.1" : "10.0.0.2", sshKey: keyOf(letter) }));
const line = (peer: typeof A): string => `from="${peer?.address}" ${peer?.sshKey} muster`;
const block = (...lines: readonly string[]): string => `${[BEGIN, ...lines, END].join("\n")}\n`;

const KEYGEN = "ssh-keygen";
const folder = mkdtempSync(join(tmpdir(), "mp-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A user's home, and an agent that runs jobs under that user's name; it is the test's own user in truth. */
function opened() {
  const home = mkdtempSync(join(folder, "h-"));
  const said: string[] = [];
  const { username: name, uid, gid } = userInfo();
  const account = { name, uid, gid, home, as: ["as"], plain: [], asOwner: [] };
  const journal = {
    warn: (message: string, fields: object = {}) => void said.push(`${message} ${Object.values(fields)}`),
  };
  const again = () => new Peers({ account, bash: "/bin/bash", path: process.env.PATH ?? "" }, journal);
  const at = (file: string): string => join(home, ".ssh", file);
  const read = (file: string): string | undefined =>
    existsSync(at(file)) ? readFileSync(at(file), "utf8") : undefined;
  const write = (file: string, text: string, mode = 0o600): void => {
    mkdirSync(join(home, ".ssh"), { recursive: true, mode: 0o700 });
    writeFileSync(at(file), text, { mode });
  };
  return { home, peers: again(), again, at, read, write, said };
}

test("whatever a file holds, the agent's part comes to its end, and all other lines stay as they are", () => {
  const words = fc.constantFrom("ssh-rsa AAAA me", "", BEGIN, END, `${BEGIN}\r`, ` ${END}`, "# muster: begin", "x\r");
  const file = fc.tuple(fc.array(words), fc.constantFrom("", "\n")).map(([lines, last]) => lines.join("\n") + last);
  const isMark = (text: string): boolean => [BEGIN, END].includes(text.trimEnd());
  const whole = (text: string): string => (text === "" || text.endsWith("\n") ? text : `${text}\n`);
  void fc.assert(
    fc.property(file, fc.array(fc.constantFrom("one", "two"), { minLength: 1 }), (text, lines) => {
      const rest = withBlock(text, []);
      expect(rest.split("\n").some(isMark)).toBe(false);
      const written = withBlock(text, lines);
      expect(written).toBe(whole(rest) + block(...lines));
      expect(withBlock(written, lines)).toBe(written);
      expect(withBlock(written, [])).toBe(whole(rest));
      if (!text.split("\n").some(isMark)) expect(rest).toBe(text);
    }),
  );
});

test("of half a part only the mark goes: what stands there may be anybody's", () => {
  expect(withBlock(`me\n${BEGIN}\nother\n`, [])).toBe("me\nother\n");
  expect(withBlock(`me\n${END}\nother\n`, [])).toBe("me\nother\n");
  expect(withBlock(`me\n${BEGIN}\nkept\n${BEGIN}\nours\n${END}\nother`, ["new"])).toBe(
    `me\nkept\nother\n${block("new")}`,
  );
});

test("hosts are let in from their addresses only, and the way to them is in the configuration", async () => {
  const { peers, at, read, write } = opened();
  write("authorized_keys", "ssh-rsa AAAA me", 0o640);
  await peers.add(
    "job_a-1",
    [A, B].flatMap(peer => peer ?? []),
  );
  expect(read("authorized_keys")).toBe(`ssh-rsa AAAA me\n${block(line(A), line(B))}`);
  expect(statSync(at("authorized_keys")).mode & 0o777).toBe(0o640);
  expect(statSync(at("config")).mode & 0o777).toBe(0o600);
  // As ssh itself understands it.
  const ssh = (host: string): string =>
    execFileSync("ssh", ["-G", "-T", "-F", at("config"), host], { encoding: "utf8" });
  const shown = ssh("10.0.0.2");
  expect(shown).toContain("\nidentityfile ~/.ssh/muster_ed25519\n");
  expect(shown).toContain("\nstricthostkeychecking accept-new\n");
  expect(ssh("10.0.0.9")).not.toContain("muster");
  // What somebody adds there later is about every host, as it would be without the agent's part.
  write("config", `${read("config")}Port 99\n`);
  expect([ssh("10.0.0.2"), ssh("10.0.0.9")].map(said => said.includes("\nport 99\n"))).toEqual([true, true]);
  write("muster_known_hosts", "10.0.0.2 ssh-ed25519 AAAA");
  await peers.release("job_a-1");
  expect([read("authorized_keys"), read("config"), read("muster_known_hosts")]).toEqual([
    "ssh-rsa AAAA me\n",
    "Port 99\n",
    undefined,
  ]);
});

test("an agent that ends while it writes leaves the file as it was", async () => {
  const { home, read, write } = opened();
  write("authorized_keys", "ssh-rsa AAAA me\n");
  // Of what the agent sends, only the beginning arrives.
  const cut = ["bash", "-c", 'head -c 5 | "$@"', "cut"];
  const files = new OwnFiles({ name: "me", home, plain: cut }, "/bin/bash");
  await expect(files.write("authorized_keys", "ssh-rsa AAAA me\nssh-rsa BBBB you\n")).rejects.toThrow("broke off");
  expect(read("authorized_keys")).toBe("ssh-rsa AAAA me\n");
  expect(readdirSync(join(home, ".ssh"))).toEqual(["authorized_keys"]);
});

test("what a job's hosts have started with ssh is ended for good, and what comes from elsewhere is not", async () => {
  const { peers } = opened();
  const all = ["10.2.0.1", "10.2.0.2", "10.2.0.11"].map(address => ({ address, sshKey: keyOf("d") }));
  const visitors = all.map(({ address }) => {
    const env = { PATH: process.env.PATH, SSH_CONNECTION: `${address} 50000 10.2.0.9 22` };
    return spawn("bash", ["-c", "trap '' TERM; env -i setsid sleep 1000 & echo $!; wait"], { env, detached: true });
  });
  const children = await Promise.all(visitors.map(async one => Number(String((await once(one.stdout, "data"))[0]))));
  try {
    await peers.add("job_a-1", all);
    await peers.add("job_b-1", all.slice(1, 2));
    await peers.release("job_a-1");
    await peers.expel(all.slice(0, 2), 0.1);
    expect(children.map(isAlive)).toEqual([false, true, true]);
    expect(visitors.map(one => isAlive(one.pid ?? 0))).toEqual([false, true, true]);
  } finally {
    for (const pid of [...children, ...visitors.map(one => one.pid ?? 0)].filter(isAlive)) process.kill(pid, "SIGKILL");
  }
});

test("of attempts that come and go at once each has what it needs, and the last one takes all away", async () => {
  const { peers, read } = opened();
  const names = Array.from({ length: 6 }, (_, index) => `job_${index}-1`);
  const all = names.map((_, index) => ({ address: `10.1.0.${index}`, sshKey: keyOf("c") }));
  await Promise.all(names.map((name, index) => peers.add(name, all.slice(index, index + 1))));
  expect(read("authorized_keys")).toBe(block(...all.map(line)));
  await Promise.all([...names.slice(1).map(name => peers.release(name)), peers.add(names[0] ?? "", all.slice(0, 1))]);
  expect(read("authorized_keys")).toBe(block(line(all[0])));
  await peers.release(names[0] ?? "");
  expect(read("authorized_keys")).toBe("");
});

test("what hosts say of themselves is not believed", async () => {
  const { peers, read, home } = opened();
  const bad = ['10.0.0.1"\nssh-rsa AAAA evil', "*", "host", "10.0.0.1,10.0.0.2", ""];
  await peers.add(
    "job_a-1",
    bad.map(address => ({ address, sshKey: keyOf("a") })),
  );
  await peers.add("job_b-1", [{ address: "10.0.0.1", sshKey: `${keyOf("a")}\nssh-rsa AAAA evil` }]);
  expect(existsSync(join(home, ".ssh"))).toBe(false);
  await peers.add("job_c-1", [
    { address: "fe80::1", sshKey: keyOf("a") },
    { address: "x y", sshKey: keyOf("b") },
  ]);
  expect(read("authorized_keys")).toBe(block(`from="fe80::1" ${keyOf("a")} muster`));
});

test("a link stays a link, and what it leads to is written; one that leads nowhere is refused", async () => {
  const { peers, at, home, write, read } = opened();
  write("config", "Host mine\n");
  const real = join(home, "dotfiles");
  writeFileSync(real, "ssh-rsa AAAA me\n");
  symlinkSync(real, at("authorized_keys"));
  await peers.add("job_a-1", A && [A]);
  expect(lstatSync(at("authorized_keys")).isSymbolicLink()).toBe(true);
  expect(readFileSync(real, "utf8")).toBe(`ssh-rsa AAAA me\n${block(line(A))}`);
  await peers.release("job_a-1");
  rmSync(real);
  await expect(peers.add("job_b-1", A && [A])).rejects.toThrow(/authorized_keys is not a file of .*'s own/);
  expect([existsSync(real), read("config")]).toEqual([false, "Host mine\n"]);
});

test("a file that is somebody else's is not touched", async () => {
  const { peers, at, write, said } = opened();
  write("authorized_keys", "ssh-rsa AAAA other\n", 0o666);
  if (process.getuid?.() === 0) chownSync(at("authorized_keys"), 1, 1);
  else {
    rmSync(at("authorized_keys"));
    symlinkSync("/etc/passwd", at("authorized_keys"));
  }
  const before = readFileSync(at("authorized_keys"), "utf8");
  await expect(peers.add("job_a-1", A && [A])).rejects.toThrow("is not a file of");
  await peers.release("job_a-1");
  expect(readFileSync(at("authorized_keys"), "utf8")).toBe(before);
  expect(said.join()).toContain("ssh is left open");
});

test("the next agent leaves in place what its attempts need, and no more", async () => {
  const { peers, again, read } = opened();
  await peers.add("job_a-1", A && [A]);
  await peers.add("job_b-1", B && [B]);
  const next = again();
  await next.retain([{ name: "job_b-1", peers: B && [B] }, { name: "job_c-1" }]);
  expect(read("authorized_keys")).toBe(block(line(B)));
  await next.release("job_b-1");
  expect(read("authorized_keys")).toBe("");
});

test("a key is made anew by each agent that registers, for its owner alone, and its private half is told to nobody", async () => {
  const { peers, again, at, read } = opened();
  const key = await peers.key();
  expect(key).toMatch(/^ssh-ed25519 \S{68}$/);
  expect(await peers.key()).toBe(key);
  expect(read("muster_ed25519.pub")).toBe(`${key} muster\n`);
  expect(statSync(at("muster_ed25519")).mode & 0o777).toBe(0o600);
  expect(execFileSync(KEYGEN, ["-y", "-f", at("muster_ed25519")], { encoding: "utf8" })).toContain(key);
  const other = await again().key();
  expect(other).toMatch(/^ssh-ed25519 \S{68}$/);
  expect(other).not.toBe(key);
});

test("where jobs run as the agent's own user, nothing of that user's is touched", async () => {
  const { home } = opened();
  const { username: name, uid, gid } = userInfo();
  const own = { name, uid, gid, home, as: [], plain: [], asOwner: [] };
  for (const account of [own, undefined]) {
    const peers = new Peers({ account, bash: "/bin/bash", path: process.env.PATH ?? "" }, { warn: () => undefined });
    expect(await peers.key()).toBeUndefined();
    await peers.add("job_a-1", A && [A]);
    await peers.release("job_a-1");
  }
  expect(existsSync(join(home, ".ssh"))).toBe(false);
});
