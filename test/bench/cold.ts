/**
 * Cold starts: what a function's bundle weighs, and what it takes to load it and answer its first request, as a ratio to
 * an empty bundle in the same run. The table is a server on loopback that knows nobody.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundle } from "../aws/deployment/bundle.ts";

const CHILD = fileURLToPath(new URL("cold-child.ts", import.meta.url));
const SAMPLES = 15;

export interface Cold {
  readonly name: string;
  readonly bytes: number;
  /** Medians, in ms. */
  readonly load: number;
  readonly first: number;
}

interface Times {
  readonly load: number;
  readonly first: number;
}

const REQUEST = JSON.stringify({
  routeKey: "GET /v1/whoami",
  rawPath: "/v1/whoami",
  rawQueryString: "",
  headers: { authorization: `Bearer mst_tok_01J00000000000000000000000_${"0".repeat(64)}` },
  isBase64Encoded: false,
  requestContext: { http: { method: "GET" }, requestId: "cold" },
});

async function start(path: string, env: Readonly<Record<string, string>>): Promise<Times> {
  const child = fork(CHILD, [path, REQUEST], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const [times] = (await once(child, "message")) as [Times];
  if (child.exitCode === null) await once(child, "exit");
  return times;
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

/** The empty bundle first, then the functions that face users and hosts. */
export async function coldStarts(): Promise<readonly Cold[]> {
  const folder = mkdtempSync(join(tmpdir(), "muster-cold-"));
  const table = createServer((_, response) =>
    response.writeHead(200, { "content-type": "application/json" }).end("{}"),
  );
  await new Promise<void>(resolve => table.listen(0, "127.0.0.1", resolve));
  try {
    const env = environment(`http://127.0.0.1:${(table.address() as AddressInfo).port}`);
    const empty = join(folder, "empty.mjs");
    writeFileSync(empty, "export const handler = async () => null;\n");
    const made = [
      { name: "empty", path: empty, bytes: 0 },
      { name: "api", ...(await bundle("api", folder)) },
      { name: "agent", ...(await bundle("agent", folder)) },
    ];
    const times = new Map(made.map(({ name }) => [name, [] as Times[]]));
    // By turns, so that what else the machine does falls on all of them.
    for (let n = 0; n < SAMPLES; n++) for (const { name, path } of made) times.get(name)?.push(await start(path, env));
    return made.map(({ name, bytes }) => {
      const mine = times.get(name) ?? [];
      return { name, bytes, load: median(mine.map(one => one.load)), first: median(mine.map(one => one.first)) };
    });
  } finally {
    table.closeAllConnections();
    table.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

const environment = (endpoint: string): Record<string, string> => ({
  AWS_ENDPOINT_URL: endpoint,
  AWS_ACCESS_KEY_ID: "AKIDEXAMPLE",
  AWS_SECRET_ACCESS_KEY: "secret",
  SST_RESOURCE_App: JSON.stringify({ name: "muster", stage: "bench" }),
  SST_RESOURCE_Muster: JSON.stringify({
    deployment: "muster-bench",
    region: "us-east-1",
    account: "123456789012",
    table: "table",
    bucket: "bucket",
    key: Buffer.alloc(32, 7).toString("base64"),
    tags: {},
  }),
});
