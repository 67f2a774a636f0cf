/**
 * Core's verbs and reconcilers over the adapters of AWS: the table on moto's DynamoDB and the provider on moto's EC2, both
 * through the edge; time is the test's own. Hosts register as themselves, by what a gateway would say of their signature.
 */
import type { Instance } from "@aws-sdk/client-ec2";
import { openTable } from "@muster/aws/table/table.ts";
import { poll } from "@muster/core/agent/poll.ts";
import * as Change from "@muster/core/cluster/change.ts";
import type * as Cluster from "@muster/core/cluster/cluster.ts";
import * as Create from "@muster/core/cluster/create.ts";
import { get } from "@muster/core/cluster/read.ts";
import { reconcile } from "@muster/core/cluster/reconcile/reconcile.ts";
import { MusterError } from "@muster/core/error.ts";
import { authenticate } from "@muster/core/host/authenticate.ts";
import { register } from "@muster/core/host/enroll.ts";
import type { Whole } from "@muster/core/ports/world.ts";
import { createDigest } from "@muster/node/digest.ts";
import { createRandom } from "@muster/node/random.ts";
import { FACTS } from "../../support/host.ts";
import { nobody } from "../../support/nobody.ts";
import { nowhere } from "../../support/nowhere.ts";
import { memorySecrets } from "../../support/secrets.ts";
import { memoryBlobs } from "../../support/world.ts";
import { aliveOf, type Cloud, openProvider, REGION } from "../ec2-support.ts";
import { makeTable } from "../table-support.ts";

export const ADA = { workspace: "acme", id: "usr_ada", role: "admin" } as const;
const MINUTE = 60_000;
const ACCOUNT = "123456789012";
const HOST_ROLE = "app-test-host";

export interface AwsWorld {
  readonly world: Whole & { readonly trust: { readonly account: string; readonly hostRole: string } };
  readonly cloud: Cloud;
  readonly errors: string[];
  /** When false, machines that start call nobody. */
  calls: boolean;
  pass(ms: number): void;
}

let tables = 0;

/** @param timeout of one call, in ms: so long a test waits for what never answers. */
export async function openWorld(cloud: Cloud, timeout = 400): Promise<AwsWorld> {
  const opened = await openProvider(cloud, { timeout });
  opened.clock.at = Date.now();
  const clock = { now: () => opened.clock.at };
  const name = `lifecycle-${tables++}`;
  await makeTable(cloud.moto.url, name, REGION);
  const credentials = async () => ({ accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" });
  const digest = createDigest("a key for tests, 32 bytes or more");
  const errors: string[] = [];
  const world = {
    table: openTable({
      aws: { region: REGION, endpoint: cloud.edge.url, credentials },
      name,
      digest,
      now: clock.now,
    }),
    blobs: memoryBlobs(),
    workflow: { start: async () => false },
    providers: new Map([["aws", opened.provider]]),
    secrets: memorySecrets(clock.now),
    clock,
    random: createRandom(clock),
    digest,
    issuers: nobody,
    ...nowhere,
    log: {
      info: () => undefined,
      error: (message: string, fields: object = {}) => void errors.push(`${message} ${JSON.stringify(fields)}`),
    },
    trust: { account: ACCOUNT, hostRole: HOST_ROLE },
  };
  return {
    world,
    cloud,
    errors,
    calls: true,
    pass: ms => {
      opened.clock.at += ms;
    },
  };
}

const refOf = (clusterId: string) => ({ workspace: ADA.workspace, clusterId });
export const alive = (at: AwsWorld, clusterId: string): Promise<Instance[]> => aliveOf(at.cloud, refOf(clusterId));

/** What a person does until it is taken: a client tries again what may pass. */
async function said<T>(at: AwsWorld, verb: () => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await verb();
    } catch (error) {
      if (!(error instanceof MusterError) || !["busy", "unavailable"].includes(error.code) || attempt > 90) throw error;
      at.pass(MINUTE);
    }
  }
}

export const verbs = {
  create: async (at: AwsWorld, name: string, more: Partial<Cluster.Create> = {}): Promise<string> => {
    const request = { name, nodes: 2, resources: { instanceType: "m5.large" }, shared: false, ...more };
    return (await said(at, () => Create.create(at.world, ADA, request))).id;
  },
  stop: async (at: AwsWorld, id: string) => said(at, () => Change.stop(at.world, ADA, id)),
  start: async (at: AwsWorld, id: string) => said(at, () => Change.start(at.world, ADA, id)),
  move: async (at: AwsWorld, id: string) => said(at, () => Change.start(at.world, ADA, id, { move: true })),
  remove: async (at: AwsWorld, id: string) => said(at, () => Change.remove(at.world, ADA, id)),
};

/** How a read that fails now is made again. */
const stateOf = (at: AwsWorld, id: string): Promise<Cluster.Info> => said(at, () => get(at.world, ADA, id));

/** Machines that run call home, each as itself. */
async function callHome(at: AwsWorld, id: string): Promise<void> {
  if (!at.calls) return;
  for (const instance of await alive(at, id)) {
    if (instance.State?.Name !== "running") continue;
    const arn = `arn:aws:sts::${ACCOUNT}:assumed-role/${HOST_ROLE}/${instance.InstanceId}`;
    const nonce = Buffer.from(`${instance.InstanceId}`.padEnd(32)).toString("hex").slice(0, 64);
    const enrolled = await register(at.world, { arn, account: ACCOUNT }, { nonce, facts: FACTS }).catch(quiet);
    if (enrolled) await askForWork(at, enrolled.hostToken).catch(quiet);
  }
}

/** As an agent does when it knows who it is, also after its machine was off. */
async function askForWork(at: AwsWorld, token: string): Promise<void> {
  const actor = await authenticate(at.world, `Bearer ${token}`);
  await poll(at.world, actor, { pulse: { cpu: 0, memory: 0.1, gpus: [], sessions: 0 }, attempts: [] });
}

const quiet = (): undefined => undefined;

/** How far apart two looks at the cluster are, in ms. */
const STEP = 2 * MINUTE;

/**
 * Lets the world go on, a step at a time, until the cluster comes to one of these states.
 * @param watch looks at every step
 * @returns the cluster, in one of them or wherever it was after `minutes`
 */
export async function goOn(
  at: AwsWorld,
  id: string,
  states: readonly Cluster.State[],
  watch: (cluster: Cluster.Info) => Promise<void>,
  minutes = 120,
): Promise<Cluster.Info> {
  const until = at.world.clock.now() + minutes * MINUTE;
  for (;;) {
    await reconcile(at.world, refOf(id)).catch(quiet);
    await callHome(at, id);
    const cluster = await stateOf(at, id);
    await watch(cluster);
    if (states.includes(cluster.state) || at.world.clock.now() >= until) return cluster;
    at.pass(STEP);
  }
}
