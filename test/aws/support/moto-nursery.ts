/** Vitest's globalSetup: one process that has loaded moto, and forks for each that a test file asks for (see moto_serve.py). */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { TestProject } from "vitest/node";
import { findPython } from "./python.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** The socket of whoever makes motos. */
    readonly motos: string;
  }
}

const pathOf = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

const SETTINGS = {
  // State machines call with boto3, which looks for a region and for credentials.
  AWS_DEFAULT_REGION: "us-east-1",
  PYTHONUNBUFFERED: "1",
  PYTHONDONTWRITEBYTECODE: "1",
  // Refuse machine types and images that AWS does not have, as EC2 does.
  MOTO_EC2_ENABLE_INSTANCE_TYPE_VALIDATION: "1",
  MOTO_ENABLE_AMI_VALIDATION: "1",
  // In the place of the thousand of moto's own, with as many snapshots, which every reset makes anew and every list looks through.
  MOTO_AMIS_PATH: pathOf("images.json"),
};

/** @throws Error when python ends, which has said why, or says nothing for long. */
export async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  const folder = mkdtempSync(join(tmpdir(), "muster-motos-"));
  const path = join(folder, "socket");
  const nursery = spawn(await findPython(), [pathOf("moto_serve.py"), path], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, ...SETTINGS },
  });
  const ended = once(nursery, "exit");
  const said = once(nursery.stdout, "data", { signal: AbortSignal.timeout(60_000) });
  await Promise.race([said, ended.then(() => Promise.reject(new Error("moto did not start")))]);
  provide("motos", path);
  return async () => {
    nursery.stdin.end();
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
}
