/** Runs a config program on a monitor, until nothing registers any more. */

import crypto, { createHash } from "node:crypto";
import { syncBuiltinESMExports } from "node:module";
import { setTimeout as pause } from "node:timers/promises";
import type { App } from "./graph.ts";
import type { Monitor } from "./monitor.ts";
import { fromPlatform } from "./platform.ts";

interface Settings {
  setMockOptions(monitor: Monitor, project: string, stack: string, preview: boolean, organization: string): void;
  waitForRPCs(): Promise<void>;
}
interface Stack {
  runInPulumiStack(program: () => Promise<unknown>): Promise<unknown>;
}

/** @returns what went wrong; a throw inside an `apply` shows only as a rejection that nobody handles. */
export async function run(app: App, monitor: Monitor, program: () => Promise<unknown>): Promise<string[]> {
  const settings = fromPlatform("@pulumi/pulumi/runtime/settings.js") as Settings;
  const { runInPulumiStack } = fromPlatform("@pulumi/pulumi/runtime/stack.js") as Stack;
  settings.setMockOptions(monitor, app.name, app.stage, false, "organization");
  // SST puts random letters into names; two runs are to be compared.
  crypto.randomBytes = ((size: number) => createHash("sha512").update("names").digest().subarray(0, size)) as never;
  syncBuiltinESMExports();

  const errors: string[] = [];
  const failed = Promise.withResolvers<void>();
  const fail = (error: unknown) => {
    errors.push(error instanceof Error ? error.message : String(error));
    failed.resolve();
  };
  process.on("unhandledRejection", fail);
  process.on("uncaughtException", fail);
  const whole = async () => {
    await runInPulumiStack(program);
    // Components go on registering from inside their applies.
    for (let seen = -1; seen !== monitor.resources.size; ) {
      seen = monitor.resources.size;
      await settings.waitForRPCs();
      await pause(20);
    }
  };
  await Promise.race([failed.promise, whole()]).catch(fail);
  return errors;
}
