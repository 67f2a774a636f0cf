/** An EC2 provider over moto and the edge, with what moto does not have answered by the edge. */
import * as Ec2 from "@aws-sdk/client-ec2";
import type { Called } from "@muster/aws/call/aws.ts";
import { json } from "@muster/aws/call/json.ts";
import type { Catalog } from "@muster/aws/catalog/catalog.ts";
import { type Ec2Provider, ec2Provider } from "@muster/aws/ec2/provider.ts";
import * as Host from "@muster/core/host/host.ts";
import type { ClusterRef, Intent, Offer } from "@muster/core/ports/provider.ts";
import type { Resources } from "@muster/core/task/task.ts";
import { afterAll, afterEach, beforeAll, beforeEach, expect } from "vitest";
import { gapsOf, starting, terminating } from "./ec2-gaps.ts";
import { type Edge, type Gap, startEdge } from "./support/edge.ts";
import { type Moto, startMoto } from "./support/moto.ts";

export const REGION = "us-east-1";
export const ZONE = "us-east-1a";
/** Of moto: an image with an EBS root. */
export const IMAGE = "ami-12c6146b";
export const PROFILE = "arn:aws:iam::123456789012:instance-profile/hosts";

export interface Cloud {
  readonly moto: Moto;
  readonly edge: Edge;
  /** Straight to moto, past the faults of the edge. */
  readonly raw: Ec2.EC2Client;
  readonly groups: Set<string>;
  /** The next StartInstances starts one machine, and then says that there is no capacity. */
  startInPart(): void;
  /** What DescribeInstances answers until the reset in moto's place, by the token that was sent. */
  pagesAre(pages: Readonly<Record<string, string>>): void;
  /** What every machine's console answers until the reset, as XML. */
  consoleSays(xml: string): void;
  catalog(): Promise<Catalog>;
  reset(): Promise<void>;
  close(): Promise<void>;
}

/** @param more answers in moto's place, beside the usual ones. */
export async function openCloud(
  more: (raw: Ec2.EC2Client) => Readonly<Record<string, Gap>> = () => ({}),
): Promise<Cloud> {
  const moto = await startMoto();
  const groups = new Set<string>();
  const raw = new Ec2.EC2Client({ endpoint: moto.url, region: REGION, credentials: CREDENTIALS });
  const partly = { isNext: false };
  const pages = new Map<string, string>();
  const screen = { xml: "" };
  const gaps = {
    ...gapsOf(groups),
    "ec2.TerminateInstances": terminating(raw),
    "ec2.StartInstances": starting(raw, partly),
    "ec2.GetConsoleOutput": (_: unknown, next: () => Promise<unknown>) => screen.xml || next(),
    "ec2.DescribeInstances": (input: Readonly<Record<string, unknown>>, next: () => Promise<unknown>) =>
      pages.get(String(input.NextToken ?? "")) ?? next(),
    ...more(raw),
  };
  const edge = await startEdge({ moto, clientTokens: true, gaps });
  await makeProfile(moto);
  return {
    moto,
    edge,
    raw,
    groups,
    startInPart: () => {
      partly.isNext = true;
    },
    consoleSays: xml => {
      screen.xml = xml;
    },
    pagesAre(all) {
      for (const [token, page] of Object.entries(all)) pages.set(token, page);
    },
    catalog: () => catalogOf(raw),
    async reset() {
      groups.clear();
      pages.clear();
      screen.xml = "";
      edge.clear();
      await moto.reset();
      await makeProfile(moto);
    },
    async close() {
      raw.destroy();
      await edge.close();
      await moto.close();
    },
  };
}

/** Makes the parameter, which holds the image's id, in moto. */
export async function makeParameter({ moto }: Pick<Cloud, "moto">, path: string, value: string): Promise<void> {
  const aws = { region: REGION, credentials: async () => CREDENTIALS, endpoint: moto.url };
  await json(aws, "ssm", "PutParameter", { Name: path, Value: value, Type: "String", Overwrite: true });
}

/** Moto refuses machines with a profile that is not there. */
async function makeProfile({ url }: Moto): Promise<void> {
  const answer = await fetch(url, {
    method: "POST",
    headers: { authorization: `AWS4-HMAC-SHA256 Credential=A/20260101/${REGION}/iam/aws4_request` },
    body: new URLSearchParams({ Action: "CreateInstanceProfile", InstanceProfileName: "hosts", Version: "2010-05-08" }),
  });
  if (!answer.ok) throw new Error(`moto made no instance profile: ${await answer.text()}`);
}

const CREDENTIALS = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" };

/** A catalog by hand, with the network that moto has. */
async function catalogOf(raw: Ec2.EC2Client): Promise<Catalog> {
  const { Subnets: subnets = [] } = await raw.send(new Ec2.DescribeSubnetsCommand({}));
  const zones = subnets.map(subnet => subnet.AvailabilityZone!).toSorted();
  const image = { id: IMAGE, rootDevice: "/dev/sda1", minDisk: 30 };
  const common = { zones, spotMarket: true, spot: Object.fromEntries(zones.map(zone => [zone, 0.1])) };
  return {
    format: 1,
    region: REGION,
    refreshedAt: 0,
    types: [
      { ...common, name: "m5.large", cpus: 2, memory: 8, arch: "x86_64", onDemand: 0.096 },
      {
        ...common,
        name: "p4d.24xlarge",
        cpus: 96,
        memory: 1152,
        arch: "x86_64",
        accelerators: { A100: 8 },
        efa: 4,
        onDemand: 32,
      },
      { ...common, name: "c5n.18xlarge", cpus: 72, memory: 192, arch: "x86_64", efa: 1, onDemand: 3.9 },
    ],
    quotas: {},
    network: {
      vpc: subnets[0]!.VpcId!,
      subnets: subnets.map(one => ({
        id: one.SubnetId!,
        zone: one.AvailabilityZone!,
        public: true,
        assigns: true,
        egress: false,
      })),
    },
    images: { cpuX64: image, gpuX64: { ...image, id: "ami-785db401" } },
    problems: [],
  };
}

export interface Opened {
  readonly provider: Ec2Provider;
  readonly calls: Called[];
  readonly logged: string[];
  /** Changes what the next calls read. */
  readonly catalog: { current: Catalog };
  readonly userData: { current: string };
  readonly clock: { at: number };
}

export interface Setup {
  readonly deployment?: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly kmsKey?: string;
  readonly timeout?: number;
}

export async function openProvider(cloud: Cloud, setup: Setup = {}): Promise<Opened> {
  const calls: Called[] = [];
  const logged: string[] = [];
  const catalog = { current: await cloud.catalog() };
  const userData = { current: "#!/bin/sh\necho hello\n" };
  const clock = { at: 1_000 };
  const keep = (message: string, fields: object = {}) => void logged.push(`${message} ${JSON.stringify(fields)}`);
  const provider = ec2Provider({
    aws: {
      region: REGION,
      credentials: async () => CREDENTIALS,
      endpoint: cloud.edge.url,
      onCall: call => void calls.push(call),
    },
    deployment: "app-test",
    hostProfile: PROFILE,
    kickDocument: "app-test-kick",
    tags: { "cost-center": "42" },
    catalog: async () => catalog.current,
    userData: () => userData.current,
    clock: { now: () => clock.at },
    log: { info: keep, error: keep },
    timeout: 10_000,
    ...setup,
  });
  return { provider, calls, logged, catalog, userData, clock };
}

export const OFFER: Offer = {
  provider: "aws",
  instanceType: "m5.large",
  region: REGION,
  zone: ZONE,
  market: "on_demand",
  cpus: 2,
  memory: 8,
  accelerators: {},
  hourly: 0.096,
};

let count = 0;

/** A cluster that nobody else uses. */
export const freshRef = (): ClusterRef => {
  count += 1;
  return { workspace: "main", clusterId: `clu_${String(count).padStart(26, "0")}` };
};

export function intentOf(
  ref: ClusterRef,
  hosts = 1,
  more: Partial<Omit<Intent, "offer">> & { readonly offer?: Partial<Offer>; readonly resources?: Resources } = {},
): Intent {
  return {
    ...ref,
    generation: 1,
    try: 1,
    group: "main",
    label: { cluster: "train", owner: "usr_ada" },
    resources: {},
    onPowerOff: "stop",
    hosts: Array.from({ length: hosts }, (_, rank) => ({
      hostId: Host.idOf(ref.clusterId, rank),
      rank,
      enrollmentToken: "enr_not_for_aws",
    })),
    ...more,
    offer: { ...OFFER, ...more.offer },
  };
}

/** The cluster's machines as moto has them, that are not terminated. */
export async function aliveOf({ raw }: Pick<Cloud, "raw">, ref: ClusterRef): Promise<Ec2.Instance[]> {
  const { Reservations: found = [] } = await raw.send(
    new Ec2.DescribeInstancesCommand({ Filters: [{ Name: "tag:muster:cluster", Values: [ref.clusterId] }] }),
  );
  const instances = found.flatMap(one => one.Instances ?? []);
  return instances.filter(({ State: state }) => !["terminated", "shutting-down"].includes(state?.Name ?? ""));
}

/** What was sent for an operation, field by field. */
export const sent = (edge: Edge, operation: string): Record<string, string>[] =>
  edge.log.filter(call => call.operation === operation).map(call => Object.fromEntries(new URLSearchParams(call.body)));

/** One cloud for a file's tests, and for each of them a provider that remembers nothing; what is left behind goes after it. */
export function eachAlone<C extends Cloud>(
  open: () => Promise<C>,
  give: (given: { readonly cloud: C; readonly opened: Opened }) => void,
  setup: Parameters<typeof openProvider>[1] = {},
): void {
  let cloud: C | undefined;
  beforeAll(async () => {
    cloud = await open();
  });
  beforeEach(async () => {
    if (cloud) give({ cloud, opened: await openProvider(cloud, setup) });
  });
  afterEach(async () => {
    expect(cloud?.edge.unimplemented).toEqual([]);
    await cloud?.reset();
  });
  afterAll(() => cloud?.close());
}
