/** Ran against: the lock of a home, on real files; its other holders are processes of their own. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { main } from "@muster/local/main.ts";
import { lock } from "@muster/local/run/lock.ts";
import { expect, onTestFinished, test, vi } from "vitest";

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "ml-"));
  onTestFinished(() => rmSync(made, { recursive: true }));
  return made;
}

const failure = expect.objectContaining({ code: "unavailable", message: expect.stringContaining("lock") });

test("one holds it, and the next gets it when that one lets go", () => {
  const path = join(folder(), "lock");
  const first = lock(path);
  expect(first).toBeDefined();
  expect(lock(path)).toBeUndefined();
  first?.release();
  const second = lock(path);
  expect(second).toBeDefined();
  second?.release();
});

test("it goes with its process, however that ends", async () => {
  const path = join(folder(), "lock");
  const program = `import { lock } from ${JSON.stringify(resolve("packages/local/src/run/lock.ts"))};
    globalThis.held = lock(process.argv[1]); console.log(held !== undefined); setInterval(() => held, 1000);`;
  const holder = spawn(process.execPath, ["--input-type=module", "-e", program, path], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void holder.kill("SIGKILL"));
  const [said] = await once(holder.stdout, "data");
  expect(String(said)).toBe("true\n");
  expect(lock(path)).toBeUndefined();
  holder.kill("SIGKILL");
  await once(holder, "exit");
  const held = lock(path);
  expect(held).toBeDefined();
  held?.release();
});

test("a lock that cannot be used is no sign of somebody there", () => {
  const home = folder();
  writeFileSync(join(home, "garbage"), "not a database, and long enough to be looked at. ".repeat(100));
  mkdirSync(join(home, "folder"));
  for (const name of ["garbage", "folder", "absent/lock"]) expect(() => lock(join(home, name))).toThrow(failure);
});

test("a server that cannot take it says so in one line, and ends", async () => {
  const home = folder();
  writeFileSync(join(home, "lock"), "not a database. ".repeat(100));
  const write = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  onTestFinished(() => write.mockRestore());
  expect(await main(["--home", home], { agent: ["false"] })).toBe(1);
  const line = JSON.parse(String(write.mock.calls.flat().join("")));
  expect(line).toMatchObject({ level: "error", message: expect.stringContaining("lock"), hint: expect.any(String) });
});

test("a lock that cannot be written is no lock", () => {
  // A folder can be written by nobody, root included.
  const path = join(folder(), "lock");
  mkdirSync(path);
  expect(() => lock(path)).toThrow(failure);
});
