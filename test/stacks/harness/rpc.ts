/** SST's command line as its config program sees it: a JSON-RPC server that bundles functions. */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { Build } from "./graph.ts";
import { root } from "./platform.ts";

interface Asked extends Build {
  readonly functionID: string;
}

export interface Cli {
  readonly url: string;
  readonly builds: Record<string, Build>;
  close(): void;
}

/** @param work Where bundles lie; they are empty here, but a handler that has no file is an error as it is in SST. */
export async function cli(work: string): Promise<Cli> {
  const builds: Record<string, Build> = {};
  const build = ({ functionID, handler, runtime, links, properties }: Asked) => {
    builds[functionID] = { handler, runtime, links, properties };
    const out = join(work, functionID);
    if (!existsSync(join(root, handler.replace(/\.\w+$/, ".ts"))))
      return { out, handler: "", errors: [`Handler not found: ${handler}`], sourcemaps: [] };
    mkdirSync(out, { recursive: true });
    writeFileSync(join(out, "bundle.mjs"), "export {}");
    return { out, handler: "bundle.handler", errors: [], sourcemaps: [] };
  };
  const methods: Readonly<Record<string, (input: never) => unknown>> = {
    "Provider.Aws.Bootstrap": () => ({ asset: "sst-asset-test", state: "sst-state-test" }),
    "Runtime.Build": build,
  };
  const server = createServer(async (request, response) => {
    const { method, params } = JSON.parse(await text(request)) as { method: string; params: never[] };
    const known = methods[method];
    response.end(
      JSON.stringify(
        known === undefined
          ? { result: null, error: `the harness does not know ${method}` }
          : { result: known(params[0] as never), error: null },
      ),
    );
  });
  await new Promise<void>(resolve => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, builds, close: () => server.close() };
}
