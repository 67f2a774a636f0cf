/**
 * A cloud with snapshots. What moto lacks of them is answered by the edge, and is OURS: CreateImage tags EBS snapshots too
 * and gives a name once; images are pending, fail, or do not show, when a test says so (moto's are there at once); lists
 * come in pages; and a token whose machine has ended is refused. All of it as EC2's reference has it.
 */
import * as Ec2 from "@aws-sdk/client-ec2";
import type { ClusterRef, Intent, MoveRef } from "@muster/core/ports/provider.ts";
import { expect } from "vitest";
import { aliveOf, type Cloud, freshRef, intentOf, type Opened, openCloud } from "./ec2-support.ts";
import { AwsError, type Fault, type Gap } from "./support/edge.ts";

export interface Dials {
  /** By image id. */
  readonly states: Map<string, string>;
  /** Ids of images that do not show when they are looked for by tags. */
  readonly hidden: Set<string>;
  /** Instead of what moto has, by image id. */
  readonly disks: Map<string, readonly Ec2.BlockDeviceMapping[]>;
  readonly architectures: Map<string, string>;
  /** Things on a page. */
  pageSize: number;
  /** So many of the next DescribeInstances show nothing. */
  blind: number;
  /** Called before each RunInstances. */
  onRun: () => void;
}

export interface Moving extends Cloud {
  readonly dials: Dials;
}

const fresh = (): Dials => ({
  states: new Map(),
  hidden: new Set(),
  disks: new Map(),
  architectures: new Map(),
  pageSize: 1000,
  blind: 0,
  onRun: () => {},
});

export async function openMoving(): Promise<Moving> {
  const dials = fresh();
  const tokens = new Map<string, string>();
  const cloud = await openCloud(raw => ({
    "ec2.CreateImage": creating(raw),
    "ec2.DescribeImages": showing(raw, dials),
    "ec2.DescribeSnapshots": listing(raw, dials),
    "ec2.DescribeInstances": (_, next) => {
      if (dials.blind <= 0) return next();
      dials.blind -= 1;
      return "<DescribeInstancesResponse><reservationSet/></DescribeInstancesResponse>";
    },
    "ec2.RunInstances": running(raw, dials, tokens),
  }));
  return {
    ...cloud,
    dials,
    async reset() {
      Object.assign(dials, fresh());
      tokens.clear();
      await cloud.reset();
    },
  };
}

type Input = Readonly<Record<string, unknown>>;

/** The numbered members of a list, such as `Filter.1.Value.2`. */
const listIn = (input: Input, prefix: string): string[] =>
  Object.keys(input)
    .filter(key => key.startsWith(`${prefix}.`) && /^\d+$/.test(key.slice(prefix.length + 1)))
    .map(key => String(input[key]));

const filtersIn = (input: Input): Ec2.Filter[] =>
  Object.keys(input)
    .filter(key => /^Filter\.\d+\.Name$/.test(key))
    .map(key => ({ Name: String(input[key]), Values: listIn(input, key.replace("Name", "Value")) }));

const escaped = (text: unknown): string =>
  String(text ?? "")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;");
const tag = (name: string, value: unknown): string =>
  value === undefined ? "" : `<${name}>${escaped(value)}</${name}>`;
const items = (name: string, all: readonly string[]): string =>
  `<${name}>${all.map(one => `<item>${one}</item>`).join("")}</${name}>`;
const tagSet = (tags: readonly Ec2.Tag[] | undefined): string =>
  items("tagSet", tags?.map(({ Key, Value }) => tag("key", Key) + tag("value", Value)) ?? []);

function page(input: Input, name: string, all: readonly string[], size: number): string {
  const at = Number(input.NextToken ?? 0);
  const token = at + size < all.length ? tag("nextToken", at + size) : "";
  return items(name, all.slice(at, at + size)) + token;
}

const creating =
  (raw: Ec2.EC2Client): Gap =>
  async input => {
    const Name = String(input.Name);
    const same = await raw.send(new Ec2.DescribeImagesCommand({ Filters: [{ Name: "name", Values: [Name] }] }));
    if (same.Images?.length)
      throw new AwsError(
        "InvalidAMIName.Duplicate",
        `AMI name ${Name} is already in use by AMI ${same.Images[0]!.ImageId}`,
      );
    const tagsAt = (at: number) =>
      Object.keys(input)
        .filter(key => key.startsWith(`TagSpecification.${at}.Tag.`) && key.endsWith(".Key"))
        .map(key => ({ Key: String(input[key]), Value: String(input[key.replace(/Key$/, "Value")]) }));
    const specs = new Map([1, 2].map(at => [input[`TagSpecification.${at}.ResourceType`], tagsAt(at)]));
    const image = { ResourceType: "image" as const, Tags: specs.get("image") ?? [] };
    const { ImageId: id } = await raw.send(
      new Ec2.CreateImageCommand({ InstanceId: String(input.InstanceId), Name, TagSpecifications: [image] }),
    );
    const parts = await partIds(raw, id!);
    await raw.send(new Ec2.CreateTagsCommand({ Resources: parts, Tags: specs.get("snapshot") ?? [] }));
    return `<CreateImageResponse><imageId>${id}</imageId></CreateImageResponse>`;
  };

export async function partIds(raw: Ec2.EC2Client, imageId: string): Promise<string[]> {
  const { Images: [image] = [] } = await raw.send(new Ec2.DescribeImagesCommand({ ImageIds: [imageId] }));
  return image?.BlockDeviceMappings?.flatMap(({ Ebs: ebs }) => ebs?.SnapshotId ?? []) ?? [];
}

const showing =
  (raw: Ec2.EC2Client, dials: Dials): Gap =>
  async (input, next) => {
    if (input["ImageId.1"] !== undefined) return next();
    const Filters = filtersIn(input);
    const isByName = Filters.some(({ Name }) => Name === "name");
    const query = { Filters, Owners: listIn(input, "Owner") };
    const { Images: found = [] } = await raw.send(new Ec2.DescribeImagesCommand(query));
    const shown = found.filter(({ ImageId: id }) => isByName || !dials.hidden.has(id!));
    const xml = shown.map(image => imageXml(image, dials));
    return `<DescribeImagesResponse>${page(input, "imagesSet", xml, dials.pageSize)}</DescribeImagesResponse>`;
  };

function imageXml(image: Ec2.Image, { states, disks, architectures }: Dials): string {
  const id = image.ImageId!;
  const mappings = (disks.get(id) ?? image.BlockDeviceMappings ?? []).map(
    ({ DeviceName, VirtualName, Ebs: ebs }) =>
      tag("deviceName", DeviceName) +
      tag("virtualName", VirtualName) +
      (ebs === undefined
        ? ""
        : `<ebs>${tag("snapshotId", ebs.SnapshotId)}${tag("volumeSize", ebs.VolumeSize)}${tag("volumeType", ebs.VolumeType)}${tag("encrypted", ebs.Encrypted)}${tag("deleteOnTermination", ebs.DeleteOnTermination)}</ebs>`),
  );
  return [
    tag("imageId", id),
    tag("name", image.Name),
    tag("creationDate", image.CreationDate),
    tag("imageState", states.get(id) ?? image.State),
    tag("architecture", architectures.get(id) ?? image.Architecture),
    tag("rootDeviceType", "ebs"),
    tag("rootDeviceName", "/dev/sda1"),
    items("blockDeviceMapping", mappings),
    tagSet(image.Tags),
  ].join("");
}

const listing =
  (raw: Ec2.EC2Client, dials: Dials): Gap =>
  async input => {
    const { Snapshots: found = [] } = await raw.send(new Ec2.DescribeSnapshotsCommand({ Filters: filtersIn(input) }));
    const xml = found.map(
      one => tag("snapshotId", one.SnapshotId) + tag("startTime", one.StartTime?.toISOString()) + tagSet(one.Tags),
    );
    return `<DescribeSnapshotsResponse>${page(input, "snapshotSet", xml, dials.pageSize)}</DescribeSnapshotsResponse>`;
  };

const running =
  (raw: Ec2.EC2Client, dials: Dials, tokens: Map<string, string>): Gap =>
  async (input, next) => {
    dials.onRun();
    const token = String(input.ClientToken);
    const known = tokens.get(token);
    if (known !== undefined && (await stateIn(raw, known)) === "terminated")
      throw new AwsError("IdempotentInstanceTerminated", "The instances of this client token have ended.");
    const reply = await next();
    const { body } = reply as { readonly body: Buffer };
    const [, id] = /<instanceId>(i-[0-9a-f]+)</.exec(body.toString()) ?? [];
    if (id !== undefined) tokens.set(token, id);
    return reply;
  };

async function stateIn(raw: Ec2.EC2Client, id: string): Promise<string | undefined> {
  const { Reservations: [one] = [] } = await raw.send(new Ec2.DescribeInstancesCommand({ InstanceIds: [id] }));
  return one?.Instances?.[0]?.State?.Name;
}

export interface Stopped {
  readonly ref: ClusterRef;
  /** In rank order. */
  readonly ids: readonly string[];
  readonly hostIds: readonly string[];
}

/** A cluster of stopped machines. */
export async function stopped(
  { provider }: Opened,
  hosts = 2,
  more: Parameters<typeof intentOf>[2] = {},
): Promise<Stopped> {
  const ref = freshRef();
  const machines = await provider.launch(intentOf(ref, hosts, more));
  const states = async () => new Set((await provider.observe(ref)).map(machine => machine.state));
  await expect.poll(states).toEqual(new Set(["running"]));
  await provider.stop(ref);
  await expect.poll(states).toEqual(new Set(["stopped"]));
  return { ref, ids: machines.map(one => one.machineId), hostIds: machines.map(one => one.hostId) };
}

/** A cluster whose disks are kept as complete snapshots, and whose machines are gone. */
export async function kept(cloud: Moving, opened: Opened, hosts = 2): Promise<Stopped & { readonly of: MoveRef }> {
  const cluster = await stopped(opened, hosts);
  const of = { ...cluster.ref, move: 1 };
  await opened.provider.snapshot(of, cluster.ids);
  await opened.provider.terminate(cluster.ids);
  expect(await aliveOf(cloud, cluster.ref)).toEqual([]);
  cloud.edge.clear();
  return { ...cluster, of };
}

/** By a tag: moto has a thousand of others, with as many EBS snapshots. */
const TAGGED = [{ Name: "tag-key", Values: ["muster:deployment"] }];

/** Images that bear Muster's tags, as moto has them. */
export const ownImages = async ({ raw }: Pick<Cloud, "raw">): Promise<Ec2.Image[]> =>
  (await raw.send(new Ec2.DescribeImagesCommand({ Filters: TAGGED }))).Images ?? [];

/** EBS snapshots that bear Muster's tags, as moto has them. */
export const ownParts = async ({ raw }: Pick<Cloud, "raw">): Promise<Ec2.Snapshot[]> =>
  (await raw.send(new Ec2.DescribeSnapshotsCommand({ Filters: TAGGED }))).Snapshots ?? [];

export const tagsIn = (tags: readonly Ec2.Tag[] | undefined): Record<string, string> =>
  Object.fromEntries(tags?.map(({ Key, Value }) => [Key!, Value!]) ?? []);

/** The launch of its machines from the snapshots of its first move. */
export const movedOf = (
  { ref, ids }: Pick<Stopped, "ref" | "ids">,
  more: Parameters<typeof intentOf>[2] = {},
): Intent => intentOf(ref, ids.length, { generation: 2, move: 1, ...more });

/** The image of each host. */
export async function imagesByHost(cloud: Pick<Cloud, "raw">): Promise<Map<string, string>> {
  return new Map((await ownImages(cloud)).map(one => [tagsIn(one.Tags)["muster:host"]!, one.ImageId!]));
}

/** Hits the nth call for a machine, and those after it. */
export const onRun = (skip: number, code: string, status = 400): Fault => ({
  on: "ec2.RunInstances",
  kind: "error",
  code,
  status,
  skip,
  times: Infinity,
});

/** The fields of each `BlockDeviceMapping.n`. */
export function disksIn(fields: Record<string, string>): Record<string, string>[] {
  const disks: Record<string, string>[] = [];
  for (const [key, value] of Object.entries(fields)) {
    const [, at, field] = /^BlockDeviceMapping\.(\d+)\.(.+)$/.exec(key) ?? [];
    if (at !== undefined && field !== undefined) disks[Number(at) - 1] = { ...disks[Number(at) - 1], [field]: value };
  }
  return disks;
}
