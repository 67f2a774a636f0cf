/** A job's log in a file: the command line as a process, with the embedded control plane and real agents. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test, vi } from "vitest";
import { Home } from "./support/muster.ts";

vi.setConfig({ testTimeout: 60_000 });

const home = new Home();
afterAll(() => home[Symbol.asyncDispose]());

const PLAIN = "(rank 0) green 0\n(rank 1) green 1\n";
const lines = (text: string): string[] => text.split("\n").toSorted();

test("a launch and its log later write the same plain text as is shown", async () => {
  const file = join(home.path, "job.log");
  const script = "printf '\\033[32mgreen\\033[0m %s\\n' \"$MUSTER_NODE_RANK\"";
  const launched = await home.run(
    "launch",
    "-c",
    "pair",
    "--num_nodes",
    "2",
    "--output-filepath",
    file,
    "--run",
    script,
  );
  expect(launched.code).toBe(0);
  expect(lines(readFileSync(file, "utf8"))).toEqual(lines(PLAIN));
  expect(readFileSync(file, "utf8")).toBe(launched.out);
  const again = join(home.path, "again.log");
  // Which of two ranks comes first is nobody's promise, from one reading to the next.
  const later = await home.run("logs", "pair", "--output-filepath", again);
  expect([later.code, lines(later.out)]).toEqual([0, lines(PLAIN)]);
  expect(readFileSync(again, "utf8")).toBe(later.out);
});

test("a file in the working folder is not sent with it", async () => {
  const folder = join(home.path, "work");
  mkdirSync(folder);
  writeFileSync(join(folder, "a.txt"), "");
  const file = join(folder, "job.log");
  const args = ["launch", "-c", "pair", "--workdir", folder, "--output-filepath", file];
  const { code, out } = await home.run(...args, "--run", "ls");
  expect([code, out, readFileSync(file, "utf8")]).toEqual([0, "a.txt\n", "a.txt\n"]);
  const other = join(folder, "dry.log");
  await home.run("launch", "--output-filepath", other, "--run", "ls", "--dry-run");
  expect(existsSync(other)).toBe(false);
  expect((await home.run("launch", "--output-filepath", folder, "--run", "ls")).err).toContain("it is a folder");
});

test("a file that cannot be written is told before anything is made", async () => {
  const { code, err } = await home.run("launch", "-c", "none", "--output-filepath", "/nowhere/x.log", "--run", "true");
  expect(err).toContain("cannot write the log to /nowhere/x.log: its folder is not there");
  expect(code).toBe(120);
  expect((await home.run("status", "--json")).out).not.toContain("none");
});
