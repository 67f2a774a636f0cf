import { client } from "@muster/api/client.ts";
import { MusterError } from "@muster/core/error.ts";
import { VERSION } from "@muster/core/version.ts";
import type { Command } from "commander";
import { type Cli, cliOf, define, group } from "../cli.ts";
import { ensure, found, homeOf, recorded, running, stop } from "../embedded.ts";
import { plural } from "../format.ts";
import { all } from "../pages.ts";
import * as Shown from "../shown.ts";

/** Stopping does not wait for a control plane that does not answer. */
const ASK_MS = 2000;

export const local = (): Command =>
  group("local", "Start, stop or look at the control plane on this machine", [
    define("start", "Start it; other commands do so by themselves", "muster local start").action(
      (_options: object, self: Command) => begin(cliOf(self)),
    ),
    define("stop", "Stop it; clusters and jobs on this machine stay as they are", "muster local stop").action(
      (_options: object, self: Command) => end(cliOf(self)),
    ),
    define("status", "Say whether it runs, and where", "muster local status").action(
      (_options: object, self: Command) => look(cliOf(self)),
    ),
  ]);

async function begin({ out, env }: Cli): Promise<void> {
  const home = homeOf(env);
  const { endpoint, started } = await ensure(home, VERSION);
  out.data({ running: true, started, endpoint, home });
  out.print(`${started ? "Started" : "Runs already"}: ${endpoint}, home ${home}`);
}

async function end({ out, env }: Cli): Promise<void> {
  const home = homeOf(env);
  const left = await remaining(home);
  const stopped = await stop(home);
  out.data({ running: false, stopped });
  out.print(stopped ? "Stopped." : "It was not running.");
  if (stopped && left !== undefined) out.print(left);
}

/** What goes on without it; nothing when there is no cluster. */
async function remaining(home: string): Promise<string | undefined> {
  const place = await found(home);
  if (place === undefined) return undefined;
  const api = client({ ...place, version: VERSION });
  const signal = AbortSignal.timeout(ASK_MS);
  try {
    const clusters = await all(cursor =>
      api.clusters.list({ query: cursor === undefined ? {} : { cursor } }, { signal }),
    );
    if (clusters.length === 0) return undefined;
    const hosts = Shown.hosts(clusters.reduce((sum, cluster) => sum + cluster.nodes, 0));
    const stay = clusters.length === 1 ? "stays as it is" : "stay as they are";
    const them = clusters.length === 1 ? "it" : "them";
    return `${plural(clusters.length, "cluster")} with ${hosts} ${stay}: muster down --all ends ${them}`;
  } catch (error) {
    const reason = error instanceof MusterError || signal.aborted ? "it did not say which clusters stay" : undefined;
    if (reason === undefined) throw error;
    return `${reason}: muster status`;
  }
}

async function look({ out, env }: Cli): Promise<void> {
  const home = homeOf(env);
  const server = await running(home);
  out.data({ running: server !== undefined, home, ...(server ?? {}) });
  if (server === undefined) {
    const left = recorded(home) === undefined ? "" : "; the last one did not end well, its log is server.log there";
    return out.print(`Not running. Home ${home}${left}`);
  }
  out.print(`Running: ${server.url}, process ${server.pid}, version ${server.version}, home ${home}`);
}
