/** Ran against: the local adapter, on real files. */
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSecrets } from "@muster/local/secrets/secrets.ts";
import { expect, onTestFinished, test } from "vitest";
import { fresh, listed, secretsContract } from "./secrets.ts";

function newFolder(): string {
  const home = mkdtempSync(join(tmpdir(), "muster-secrets-"));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  return join(home, "secrets");
}

secretsContract("files", async () => {
  const home = mkdtempSync(join(tmpdir(), "muster-secrets-"));
  return { secrets: openSecrets(join(home, "secrets")), close: () => rmSync(home, { recursive: true }) };
});

const modeOf = (path: string): number => statSync(path).mode & 0o777;

test("only this user can enter the folders and read the files, however wide they stood open", async () => {
  const folder = newFolder();
  mkdirSync(join(folder, "acme"), { recursive: true });
  for (const path of [folder, join(folder, "acme")]) chmodSync(path, 0o777);
  const umask = process.umask(0);
  onTestFinished(() => void process.umask(umask));
  const secrets = openSecrets(folder);
  const ref = fresh();
  await secrets.keep(ref, { A: "1" });
  const file = join(folder, "acme", `${ref.owner}.json`);
  expect([folder, join(folder, "acme"), file].map(modeOf)).toEqual([0o700, 0o700, 0o600]);
});

test("what a crash left half written is removed, and is nobody's secrets", async () => {
  const folder = newFolder();
  mkdirSync(join(folder, "acme"), { recursive: true });
  const { owner } = fresh();
  writeFileSync(join(folder, "acme", `${owner}.json.1234.new`), '{"A":"hal');
  const secrets = openSecrets(folder);
  const other = fresh();
  await secrets.keep(other, { A: "1" });
  expect(readdirSync(join(folder, "acme"))).toEqual([`${other.owner}.json`]);
  expect(await secrets.read({ workspace: "acme", owner })).toBeUndefined();
});

test("another control plane of the same folder reads what was kept, and knows how old it is", async () => {
  const folder = newFolder();
  const [old, young] = [fresh(), fresh()];
  const before = openSecrets(folder);
  await before.keep(old, { A: "1" });
  await before.keep(young, { A: "2" });
  const [now, day] = [Date.now(), 24 * 3_600_000];
  utimesSync(join(folder, "acme", `${old.owner}.json`), (now - day) / 1000, (now - day) / 1000);
  const secrets = openSecrets(folder);
  expect(await secrets.read(old)).toEqual({ A: "1" });
  expect(await listed(secrets, now - day / 2)).toEqual([old]);
});

test("a folder that cannot be is said, without a word of what was to be kept", async () => {
  const folder = newFolder();
  writeFileSync(folder, "");
  const secrets = openSecrets(folder);
  const failing = secrets.keep(fresh(), { A: "hunter2" });
  await expect(failing).rejects.toMatchObject({ code: "unavailable", message: expect.stringContaining("EEXIST") });
  rmSync(folder);
  await secrets.keep(fresh(), { A: "1" });
  const error = await failing.catch((thrown: unknown) => thrown as Error);
  expect(`${error} ${(error as Error).stack} ${JSON.stringify(error)}`).not.toContain("hunter2");
});

test("a file that is not as it was written is told, without what it says", async () => {
  const folder = newFolder();
  const ref = fresh();
  const secrets = openSecrets(folder);
  await secrets.keep(ref, { A: "1" });
  writeFileSync(join(folder, "acme", `${ref.owner}.json`), '{"A": hunter2}');
  const error = await secrets.read(ref).catch((thrown: unknown) => thrown as Error);
  expect(error).toMatchObject({ code: "internal" });
  expect(`${error} ${(error as Error).stack} ${String((error as Error).cause)}`).not.toContain("hunter2");
});
