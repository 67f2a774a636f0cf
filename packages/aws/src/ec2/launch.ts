/**
 * One intent, one RunInstances.
 *
 * Lifecycle: what the call needs is looked up or made first (image, security group, placement group), most of it out of
 * memory; then the call is made once, with the intent's token and with all tags in it.
 *
 * Gotcha: EC2 knows a call that was sent again by its token, and refuses it when anything else in it changed: an image was
 * renewed meanwhile, or a deploy changed the user data. Then something was made with that token, and its machines are found
 * by their tags. They are this try's as much as if the answer had come.
 *
 * Gotcha: a token holds within one zone only, so a try never changes its zone.
 */
import {
  type _InstanceType,
  type Instance,
  type ResourceType,
  RunInstancesCommand,
  type RunInstancesCommandInput,
  type Tag,
} from "@aws-sdk/client-ec2";
import { MusterError } from "@muster/core/error.ts";
import type { Clock } from "@muster/core/ports/ports.ts";
import type { Intent, Machine } from "@muster/core/ports/provider.ts";
import type { Aws } from "../call/aws.ts";
import type { Catalog, MachineType } from "../catalog/catalog.ts";
import { Fault } from "../fault.ts";
import { answerOf } from "./client.ts";
import { disksOf } from "./disk.ts";
import { type Images, type NamedImage, usualImage } from "./image.ts";
import { type Market, marketOf, type Reservations } from "./market.ts";
import { interfacesOf, type Place, placeOf } from "./network.ts";
import { observeAll, type Seeing } from "./observe.ts";
import { bringsImage } from "./offers/place.ts";
import { placementGroup } from "./placement.ts";
import type { SecurityGroups } from "./security-group.ts";
import { lost, settled } from "./settled.ts";
import { areShown, machineOf, tagsOf, tokenOf } from "./tags.ts";

export interface Launching extends Seeing {
  readonly aws: Aws;
  readonly clock: Clock;
  readonly tags: Readonly<Record<string, string>>;
  /** ARN of the instance profile. */
  readonly hostProfile: string;
  readonly kmsKey?: string | undefined;
  readonly catalog: () => Promise<Catalog>;
  readonly images: Images;
  readonly securityGroups: SecurityGroups;
  readonly reservations: Reservations;
  /** What a machine of this type runs at its boot, as text. It holds no secret: whoever is on the machine can read it. */
  readonly userData: (intent: Intent, type: MachineType) => string;
}

/** The call is not made when getting ready for it took longer, in ms: whoever asked may have given up on it. */
const READY_WITHIN = 20_000;

/** @throws Fault of any of its calls; MusterError where this intent cannot be, or where nobody knows what became of it. */
export async function launch(world: Launching, intent: Intent): Promise<readonly Machine[]> {
  const began = world.clock.now();
  const catalog = await world.catalog();
  const type = typeOf(catalog, intent);
  const place = placeOf(catalog, intent, type);
  const parts = await prepare(world, intent, { catalog, type, place });
  if (world.clock.now() > began + READY_WITHIN)
    throw new MusterError("busy", "EC2 was slow to answer; the machines were not asked for yet");
  const command = new RunInstancesCommand(requestOf(world, intent, parts));
  try {
    const { Instances: made } = await answerOf("RunInstances", world.ec2.writes.send(command));
    return await settled(world, intent, made?.map(instance => madeNow(world.deployment, instance, parts.tags)) ?? []);
  } catch (error) {
    if (error instanceof Fault) return await refused(world, intent, parts, error);
    throw error;
  }
}

/** The offer was made of this catalog or of an older one. */
function typeOf(catalog: Catalog, { offer }: Intent): MachineType {
  const type = catalog.types.find(candidate => candidate.name === offer.instanceType);
  if (type !== undefined) return type;
  throw new MusterError("no_capacity", `${offer.instanceType} is not offered in ${catalog.region} any more`);
}

interface Parts {
  readonly type: MachineType;
  readonly place: Place;
  readonly image: NamedImage;
  readonly market: Market;
  readonly tags: Tag[];
  readonly securityGroup: string;
  readonly placementGroup: string | undefined;
}

async function prepare(
  world: Launching,
  intent: Intent,
  found: { readonly catalog: Catalog; readonly type: MachineType; readonly place: Place },
): Promise<Parts> {
  const { catalog, type, place } = found;
  const { image: named = "", placementGroup: isGrouped } = intent.resources;
  const tags = tagsOf(world, intent);
  const [image, market, securityGroup, group] = await Promise.all([
    bringsImage(intent.resources) ? world.images.get(named) : usualImage(catalog, type),
    marketOf(world.reservations, intent),
    world.securityGroups.get(place.vpc, intent.workspace),
    isGrouped === true ? placementGroup(world, intent) : undefined,
  ]);
  return { type, place, image, market, tags, securityGroup, placementGroup: group };
}

/** @throws MusterError `unsupported` for a disk tier that does not exist. */
function requestOf(world: Launching, intent: Intent, parts: Parts): RunInstancesCommandInput {
  const { place, image, market, tags } = parts;
  const isSpot = intent.offer.market === "spot";
  const tagged: ResourceType[] = ["instance", "volume", "network-interface"];
  if (isSpot) tagged.push("spot-instances-request");
  return {
    ClientToken: tokenOf(world.deployment, intent),
    MinCount: intent.hosts.length,
    MaxCount: intent.hosts.length,
    InstanceType: parts.type.name as _InstanceType,
    ImageId: image.id,
    UserData: Buffer.from(world.userData(intent, parts.type)).toString("base64"),
    IamInstanceProfile: { Arn: world.hostProfile },
    NetworkInterfaces: interfacesOf(place, parts.securityGroup),
    BlockDeviceMappings: disksOf(intent.resources, image, world.kmsKey),
    // Two hops, so that containers reach it; never without a token, so that what only forwards requests does not.
    MetadataOptions: {
      HttpEndpoint: "enabled",
      HttpTokens: "required",
      HttpPutResponseHopLimit: 2,
      InstanceMetadataTags: areShown(tags) ? "enabled" : "disabled",
    },
    Monitoring: { Enabled: false },
    // A one-time spot machine cannot be stopped.
    InstanceInitiatedShutdownBehavior: isSpot ? "terminate" : intent.onPowerOff,
    TagSpecifications: tagged.map(type => ({ ResourceType: type, Tags: tags })),
    ...(parts.placementGroup !== undefined && { Placement: { GroupName: parts.placementGroup } }),
    ...market,
  };
}

/** The answer of RunInstances may come without the tags that the call gave. */
const madeNow = (deployment: string, instance: Instance, tags: Tag[]) => ({
  instance,
  machine: machineOf(deployment, { ...instance, Tags: tags }),
});

/** The token was used with other parameters; EC2 says so only when something was made with it. */
const MISMATCH = "IdempotentParameterMismatch";
/** All that was made with the token has ended; EC2 shows it for an hour or so. */
const ENDED = "IdempotentInstanceTerminated";

/** What was remembered is there no more, or does not show yet; the next send looks it up again. */
const STALE = new Set(["InvalidGroup.NotFound", "InvalidSecurityGroupID.NotFound", "InvalidPlacementGroup.Unknown"]);

async function refused(world: Launching, intent: Intent, parts: Parts, fault: Fault): Promise<readonly Machine[]> {
  if (fault.code === MISMATCH || fault.code === ENDED) return madeBefore(world, intent, fault);
  if (fault.code.startsWith("InvalidAMIID.") && intent.resources.image !== undefined)
    world.images.forget(intent.resources.image);
  if (!STALE.has(fault.code)) throw fault;
  world.securityGroups.forget(parts.place.vpc, intent.workspace);
  throw new MusterError("unavailable", "a group that the machines were to join is not there yet", {}, fault);
}

/** The machines that an earlier send of this try made. */
async function madeBefore(world: Launching, intent: Intent, fault: Fault): Promise<readonly Machine[]> {
  world.log.info("a launch was sent before, and its token is used up; its machines are looked for", {
    cluster: intent.clusterId,
    try: intent.try,
  });
  const seen = await observeAll(world, intent);
  const mine = seen.filter(({ machine }) => machine.generation === intent.generation && machine.try === intent.try);
  if (mine.length === 0) throw fault.code === ENDED ? fault : lost(intent, fault);
  return settled(world, intent, mine);
}
