/**
 * SST's own command line, run for real on the real config: it evaluates it, builds the program and bundles the functions.
 * AWS is an HTTP server of ours, and Pulumi's engine is the monitor that the other tests use.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { statSync } from "node:fs";
import { join } from "node:path";
import { FUNCTIONS } from "@muster/aws/places.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Diff, diff } from "./cli/diff.ts";
import type { Resource } from "./harness/graph.ts";
import { load } from "./harness/load.ts";
import { stages } from "./harness/stages.ts";

let real: Diff;
beforeAll(async () => {
  real = await diff("dev");
});
afterAll(() => real.remove());

/** A bundle has another hash than the empty one of the harness, and lies elsewhere; source maps only real bundles have. */
const comparable = (resources: readonly Resource[]) =>
  Object.fromEntries(
    resources
      .filter(({ name, type }) => !/Sourcemap\d+$/.test(name) && type !== "pulumi:pulumi:Stack")
      .map(one => [
        one.urn,
        JSON.stringify(one)
          .replace(/-code-[0-9a-f]{64}/g, "-code")
          .replace(/"[^"]*\/artifacts\//g, '"artifacts/'),
      ]),
  );

test("the command line and the harness see the same deployment", async () => {
  const { resources, errors } = await load(stages.dev);
  expect([real.errors, errors]).toEqual([[], []]);
  expect(comparable(real.resources)).toEqual(comparable(resources));
});

test("everything is tagged as the config says, beside SST's own tags", () => {
  expect(real.tags).toEqual({ tags: { "muster:deployment": "muster-dev", "sst:app": "muster", "sst:stage": "dev" } });
});

test.each(FUNCTIONS)("the bundle of %s starts on the links that are encrypted beside it", name => {
  const folder = real.bundle(`${name.charAt(0).toUpperCase()}${name.slice(1)}Handler`);
  const key = createHash("sha256").update("random LambdaEncryptionKey").digest("base64");
  const env = {
    SST_KEY: key,
    SST_KEY_FILE: "resource.enc",
    SST_RESOURCE_App: JSON.stringify({ name: "muster", stage: "dev" }),
    AWS_ACCESS_KEY_ID: "nobody",
    AWS_SECRET_ACCESS_KEY: "nothing",
  };
  const script = 'import("./bundle.mjs").then(({ handler }) => console.log(typeof handler))';
  expect(execFileSync(process.execPath, ["-e", script], { cwd: folder, env, encoding: "utf8" }).trim()).toBe(
    "function",
  );
});

test("the functions that people and hosts wait for are small", () => {
  const sizes = ["ApiHandler", "ConfigHandler", "AdminHandler", "AgentHandler"].map(
    name => statSync(join(real.bundle(name), "bundle.mjs")).size,
  );
  expect(Math.max(...sizes)).toBeLessThanOrEqual(400_000);
});
