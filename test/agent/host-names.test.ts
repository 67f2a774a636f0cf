/** Names of a job group's hosts in a file of names: a real file, and not the machine's own. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { Peers } from "../../packages/agent/src/gang/peers.ts";

const folder = mkdtempSync(join(tmpdir(), "hn-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const OWN = "127.0.0.1 localhost\n";
const A = { address: "10.0.0.1", name: "trainer-0.both" };
const B = { address: "10.0.0.2", name: "server-0.both" };

/** An agent that runs jobs under another name, or, with nobody to be, under its own. */
function opened(as: readonly string[] = ["as"]) {
  const file = join(mkdtempSync(join(folder, "f-")), "hosts");
  writeFileSync(file, OWN, { mode: 0o644 });
  const { username: name, uid, gid } = userInfo();
  const account = { name, uid, gid, home: folder, as, plain: [], asOwner: [] };
  const said: string[] = [];
  const machine = { account, bash: "/bin/bash", path: "/usr/bin:/bin" };
  const again = () => new Peers(machine, { warn: message => void said.push(message) }, file);
  const lines = () =>
    readFileSync(file, "utf8")
      .split("\n")
      .filter(line => line.startsWith("10."));
  return { file, said, again, peers: again(), lines };
}

test("stand there while an attempt needs them, once each, and all else stays", async () => {
  const { file, peers, lines } = opened();
  const inode = statSync(file).ino;
  await peers.name("one", [A, B]);
  await peers.name("two", [B]);
  expect(lines()).toEqual(["10.0.0.1 trainer-0.both", "10.0.0.2 server-0.both"]);
  await peers.release("one");
  expect(lines()).toEqual(["10.0.0.2 server-0.both"]);
  await peers.release("two");
  expect(readFileSync(file, "utf8")).toBe(OWN);
  expect(statSync(file).ino).toBe(inode);
});

test("are no lines of another's making", async () => {
  const { peers, file } = opened();
  await peers.name("one", [
    { address: "10.0.0.1", name: "a b" },
    { address: "10.0.0.1\n10.0.0.9", name: "a" },
    { address: "10.0.0.1", name: "a\n10.0.0.9 registry" },
  ]);
  expect(readFileSync(file, "utf8")).toBe(OWN);
});

test("of an agent that has ended go, but for those that its attempts still need", async () => {
  const { peers, again, lines } = opened();
  await peers.name("one", [A]);
  await peers.name("two", [B]);
  await again().retain([{ name: "two", hostNames: [B] }]);
  expect(lines()).toEqual(["10.0.0.2 server-0.both"]);
});

test("are not written where jobs have no account of their own: the machine is a person's", async () => {
  const { peers, file } = opened([]);
  await peers.name("one", [A]);
  expect(readFileSync(file, "utf8")).toBe(OWN);
});

test("that cannot be written are told, and what is left is no failure", async () => {
  const { peers, file, said } = opened();
  rmSync(file);
  await expect(peers.name("one", [A])).rejects.toThrow(/ENOENT/);
  await peers.release("one");
  expect(said).toEqual(["names of hosts are left"]);
});
