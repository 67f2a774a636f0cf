/** The machine providers: the cloud, seen through calls that may fail. */
import { MusterError } from "@muster/core/error.ts";
import type { MachineProvider, Offer } from "@muster/core/ports/provider.ts";
import type { Resources } from "@muster/core/task/task.ts";
import { MINUTE } from "../kernel.ts";
import { call, LONGEST_STALL, type Process } from "../process.ts";
import type { Sim } from "../sim.ts";
import { PROVIDERS, type ProviderName } from "./cloud.ts";

/** Calls of the cloud are few, and where it hurts. */
const RISK = 3;

export const providersOf = (sim: Sim, process: Process): ReadonlyMap<string, MachineProvider> =>
  new Map((Object.keys(PROVIDERS) as ProviderName[]).map(name => [name, provider(sim, process, name)]));

function provider(sim: Sim, process: Process, name: ProviderName): MachineProvider {
  const { cloud } = sim;
  const at = <T>(verb: string, what: string, effect: () => T) =>
    call(sim, process, `${process.name} ${name} ${verb} ${what}`, () => allowed(sim, verb, effect), RISK);
  const id = (cluster: { readonly clusterId: string }) => cluster.clusterId.slice(-4);
  return {
    name,
    capabilities: {
      stop: PROVIDERS[name].stop,
      move: PROVIDERS[name].stop,
      settle: 2 * MINUTE,
      unknown: LONGEST_STALL + MINUTE,
      boot: 10 * MINUTE,
      ...(sim.climate.queues && { launches: { burst: 1, perSecond: 0.05 } }),
    },
    catalog: async () => [],
    checks: async () => [],
    offers: async resources => ({ offers: PROVIDERS[name].offers.filter(offer => satisfies(offer, resources)) }),
    launch: intent => at("launch", `${id(intent)}/${intent.try}`, () => cloud.launch(name, intent)),
    observe: async cluster => {
      const look = () => ({ machines: cloud.shown(name, cluster), lookedAt: sim.now });
      const { machines, lookedAt } = await at("observe", id(cluster), look);
      cloud.told(process, cluster, lookedAt);
      return machines;
    },
    ended: cluster => at("ended", id(cluster), () => cloud.ended(name, cluster)),
    start: cluster => at("start", id(cluster), () => cloud.start(name, cluster)),
    stop: cluster => at("stop", id(cluster), () => cloud.stop(name, cluster)),
    terminate: ids => at("terminate", ids.join(" "), () => cloud.terminate(name, ids)),
    snapshot: (of, ids) => at("snapshot", `${id(of)}/${of.move}`, () => cloud.snapshot(name, of, ids)),
    snapshots: () => at("snapshots", "", () => cloud.snapshots.list(name)),
    deleteSnapshots: of => at("delete snapshots", `${id(of)}/${of.move}`, () => cloud.snapshots.delete(of)),
    sweep: () => at("sweep", "", () => cloud.shown(name)),
    kick: (cluster, hosts) =>
      at("kick", `${id(cluster)} ${hosts.length}`, () => {
        const wanted = new Set(hosts.map(host => host.hostId));
        for (const box of cloud.boxes)
          if (wanted.has(box.hostId) && box.cutUntil <= sim.now && !sim.faults.happens("kickLost")) box.agent?.wake();
      }),
  };
}

/** @throws MusterError while the role may not call the cloud; as AWS's own adapter says it. */
function allowed<T>(sim: Sim, verb: string, effect: () => T): T {
  if (!sim.faults.on || sim.cloud.deniedUntil <= sim.now) return effect();
  throw new MusterError(verb === "launch" ? "launch_failed" : "unavailable", `the role may not ${verb}`);
}

const satisfies = (offer: Offer, resources: Resources): boolean =>
  resources.zone === undefined || resources.zone === offer.zone;
