/**
 * Worlds in which requests that are right are refused: nothing is left of a quota or a budget, the workspace is frozen, no
 * machine is offered, a name is taken, what is asked for is gone or not ready.
 */
import { reconcile } from "@muster/core/cluster/reconcile/reconcile.ts";
import { BODIES } from "./decisions.ts";
import type { Ground } from "./fuzz.ts";
import type { Ask } from "./stage.ts";
import { ghostOf } from "./tenancy-support.ts";

type Change = (ground: Ground, admin: (id: string, ask: Ask) => Promise<unknown>) => Promise<unknown>;

const launch = { task: { run: "true" } };
const over = (more: object): Ask => ({ body: { ...launch, cluster: "fresh", ...more } });
const stopping = { after: 5, action: "stop" };

/** What happens to the world first, and what else is asked there than what each operation is asked anyway. */
export interface Hardship {
  readonly name: string;
  readonly change: Change;
  /** In place of the usual requests; by operation. */
  readonly asks?: Readonly<Record<string, Ask>>;
}

const NONE_LEFT = Object.fromEntries(
  ["clusters", "hosts", "schedules", "secrets", "targets", "pools", "images", "hooks", "webhooks"].map(name => [
    name,
    0,
  ]),
);
const gone = (noun: string): string => ghostOf(noun);

export const HARDSHIPS: readonly Hardship[] = [
  { name: "nothing amiss", change: async () => undefined },
  { name: "frozen", change: (_, admin) => admin("freeze.set", { body: {} }) },
  {
    name: "no quota",
    change: (_, admin) => admin("quotas.set", { body: NONE_LEFT }),
    asks: {
      "secrets.set": { params: { name: "NEW" } },
      ...Object.fromEntries(["targets.set", "schedules.set", "pools.set"].map(id => [id, { params: { name: "new" } }])),
    },
  },
  { name: "no budget", change: (_, admin) => admin("budgets.set", { body: { hourly: 0 } }) },
  { name: "nothing offered", change: async ({ stage }) => stage.world.provider.offered.splice(0) },
  {
    name: "machines that cannot stop, nor be saved",
    change: async ({ stage: { world } }) => {
      world.provider.capabilities = { ...world.provider.capabilities, stop: false, image: false };
    },
    asks: {
      "clusters.create": { body: { name: "fresh", idle: stopping } },
      "launches.create": over({ idle: stopping }),
      "launches.plan": over({ idle: stopping }),
      "jobGroups.create": { body: { ...BODIES["jobGroups.create"], idle: stopping } },
      "clusters.autostop": { params: { cluster: "ac-demo" }, body: { idle: stopping } },
      "clusters.start": { query: "move=true" },
      "pools.set": { params: { name: "new" }, body: { ...BODIES["pools.set"], keep: "stopped" } },
      "targets.set": { params: { name: "new" }, body: { provider: "nowhere" } },
    },
  },
  {
    name: "providers that are not there",
    change: async () => undefined,
    asks: {
      "clusters.create": { body: { name: "fresh", resources: { provider: "nowhere" } } },
      "launches.create": over({ task: { run: "true", resources: { provider: "nowhere" } } }),
      "launches.plan": over({ task: { run: "true", resources: { provider: "nowhere" } } }),
      "pools.set": {
        params: { name: "new" },
        body: { size: 1, launch: { task: { setup: "x", resources: { provider: "nowhere" } } } },
      },
    },
  },
  {
    name: "clusters on their way out",
    change: async (_, admin) => {
      for (const cluster of ["ac-demo", "ac-still"]) await admin("clusters.remove", { params: { cluster } });
    },
    asks: {
      "clusters.create": { body: { name: "ac-demo" } },
      "launches.create": over({ cluster: "ac-demo" }),
      "launches.plan": over({ cluster: "ac-demo" }),
      "jobs.rerun": { body: { cluster: "ac-demo" } },
    },
  },
  {
    name: "clusters that stand still",
    change: async ({ stage, held }, admin) => {
      await admin("clusters.stop", { params: { cluster: "ac-demo" } });
      await reconcile(stage.world, { workspace: held.workspace, clusterId: held.ids.cluster?.[0] ?? "" });
    },
  },
  {
    name: "things that are not there",
    change: async () => undefined,
    asks: {
      "clusters.create": { body: { name: "fresh", target: gone("zq-lab") } },
      "launches.create": over({ target: gone("zq-lab") }),
      "launches.plan": over({ target: gone("zq-lab") }),
      "jobGroups.create": { body: { ...BODIES["jobGroups.create"], target: gone("zq-lab") } },
      "pools.set": {
        params: { name: "new" },
        body: { size: 1, launch: { task: { setup: "x" }, target: gone("zq-lab") } },
      },
      "schedules.set": {
        params: { name: "new" },
        body: { ...BODIES["schedules.set"], launch: { task: { run: "x", storedSecrets: ["YV_KEY"] } } },
      },
      "jobs.submit": { body: { task: { run: "x", storedSecrets: ["YV_KEY"] } } },
      "images.save": { body: { cluster: gone("zq-still"), name: "fresh" } },
      "issuers.set": {
        body: {
          ...BODIES["issuers.set"],
          rules: [{ when: { repository: "acme/train" }, role: "ci", workspace: "nowhere" }],
        },
      },
      "hooks.create": { body: { name: "new", hook: { ...BODIES["hooks.set"], token: "NOBODYS" } } },
      "hooks.set": { params: { hook: "nobodys" } },
      "webhooks.set": { params: { webhook: "nobodys" } },
      "providers.catalog": { query: "provider=nowhere" },
      "jobs.list": { query: `cluster=${gone("zq-demo")}` },
    },
  },
  {
    name: "names that are taken, and clusters that are busy",
    change: async (_, admin) => {
      await admin("clusters.create", { body: { name: "pair" } });
    },
    asks: {
      "launches.create": over({ cluster: "ac-demo", onBusy: "fail" }),
      "jobs.submit": { body: { ...launch, onBusy: "fail" } },
      "clusters.create": { body: { name: "ac-demo", nodes: 3 } },
      "workspaces.create": { body: { name: "main" } },
      "images.save": { body: { cluster: "ac-still", name: "ac-base" } },
      "hooks.create": { body: { name: "ac-push", hook: BODIES["hooks.set"] } },
      "webhooks.create": { body: { name: "ac-out", webhook: BODIES["webhooks.set"] } },
    },
  },
  {
    name: "schedules of launches that are refused",
    change: (_, admin) =>
      admin("schedules.set", {
        params: { name: "ac-nightly" },
        body: { ...BODIES["schedules.set"], launch: { ...launch, cluster: "ac-demo", onBusy: "fail" } },
      }),
  },
  {
    name: "a schedule in the name of somebody else",
    change: async ({ stage, held }) => {
      const token = await stage.token(held.workspace, "member", "usr-bob");
      const body = { ...BODIES["schedules.set"], launch: { ...launch, cluster: "ac-demo" } };
      await stage.send("schedules.set", { token, params: { name: "bobs" }, body });
    },
    asks: { "schedules.run": { params: { name: "bobs" } } },
  },
  {
    name: "schedules of machines that cannot stop",
    change: async ({ stage: { world } }, admin) => {
      await admin("schedules.set", {
        params: { name: "ac-nightly" },
        body: { ...BODIES["schedules.set"], launch: { ...launch, cluster: "fresh", idle: stopping } },
      });
      world.provider.capabilities = { ...world.provider.capabilities, stop: false };
    },
  },
  {
    name: "schedules of images that are not ready",
    change: async (_, admin) => {
      const resources = { image: "muster:ac-late" };
      await admin("images.save", { body: { cluster: "ac-still", name: "ac-late" } });
      await admin("schedules.set", {
        params: { name: "ac-nightly" },
        body: { ...BODIES["schedules.set"], launch: { task: { run: "true", resources } } },
      });
    },
    asks: Object.fromEntries(
      Object.entries({
        "clusters.create": (resources: object) => ({ name: "late", resources }),
        "launches.create": (resources: object) => ({ task: { run: "x", resources }, cluster: "late" }),
        "launches.plan": (resources: object) => ({ task: { run: "x", resources }, cluster: "late" }),
        "jobGroups.create": (resources: object) => ({
          name: "late",
          cluster: "late",
          tasks: [{ task: { name: "a", run: "x", resources } }, { task: { name: "b", run: "x" } }],
        }),
      }).map(([id, body]) => [id, { body: body({ image: "muster:ac-late" }) }]),
    ),
  },
];
