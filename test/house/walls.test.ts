/** The import walls, as Biome enforces them: each is broken once in a scratch copy of the house, and must be seen. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

const forbidden = [
  ["packages/core/src", "node:fs"],
  ["packages/core/src", "@muster/api/route.ts"],
  ["packages/core/src", "@aws-sdk/client-ec2"],
  ["packages/api/src", "@muster/local/main.ts"],
  ["packages/task/src", "@muster/api/client.ts"],
  ["packages/agent/src", "zod"],
  ["packages/agent/src", "@muster/local/main.ts"],
  ["packages/local/src", "@muster/cli/main.ts"],
  ["packages/cli/src", "@muster/local/main.ts"],
  ["functions/api", "@muster/local/main.ts"],
  ["functions/api", "@aws-sdk/client-ec2"],
] as const;

const allowed = [
  ["packages/core/src", "zod"],
  ["packages/agent/src", "node:fs"],
  ["packages/agent/src", "@muster/core/agent/protocol.ts"],
  ["packages/cli/src", "@muster/api/client.ts"],
  ["functions/api", "@muster/core/job/submit.ts"],
] as const;

const scratch = mkdtempSync(join(tmpdir(), "muster-walls-"));
const refused = new Set<string>();

const fileOf = (folder: string, name: string) => join(folder, `${name.replaceAll(/[^a-z0-9]/g, "-")}.ts`);

beforeAll(() => {
  const config = JSON.parse(readFileSync("biome.json", "utf8"));
  writeFileSync(
    join(scratch, "biome.json"),
    JSON.stringify({ ...config, $schema: undefined, vcs: { enabled: false } }),
  );
  const write = (path: string, source: string) => {
    mkdirSync(dirname(join(scratch, path)), { recursive: true });
    writeFileSync(join(scratch, path), source);
  };
  for (const [folder, name] of [...forbidden, ...allowed])
    write(fileOf(folder, name), `import * as x from "${name}";\nexport const y = x;\n`);
  for (const folder of ["packages/core/src", "packages/cli/src"])
    write(join(folder, "named-zod.ts"), 'import { z } from "zod";\nexport const y = z;\n');
  const biome = resolve("node_modules/.bin/biome");
  const run = spawnSync(
    biome,
    ["lint", "--reporter=json", "--max-diagnostics=none", "--only=style/noRestrictedImports", "."],
    {
      cwd: scratch,
      encoding: "utf8",
    },
  );
  const report = JSON.parse(run.stdout) as { diagnostics: { category: string; location: { path: string } }[] };
  for (const { category, location } of report.diagnostics)
    if (category.endsWith("noRestrictedImports")) refused.add(location.path);
});

afterAll(() => rmSync(scratch, { recursive: true }));

test.each(forbidden)("%s may not import %s", (folder, name) => {
  expect([...refused]).toContain(fileOf(folder, name));
});

test.each(allowed)("%s may import %s", (folder, name) => {
  expect([...refused]).not.toContain(fileOf(folder, name));
});

test("zod is imported whole, never by the name that carries every locale into a bundle", () => {
  expect([...refused]).toEqual(
    expect.arrayContaining(["packages/core/src/named-zod.ts", "packages/cli/src/named-zod.ts"]),
  );
});
