/** What RunInstances is asked for, and what of it is looked up or made before: most of it out of memory. */
import type {
  _InstanceType,
  BlockDeviceMapping,
  ResourceType,
  RunInstancesCommandInput,
  Tag,
} from "@aws-sdk/client-ec2";
import { MusterError } from "@muster/core/error.ts";
import type { Clock } from "@muster/core/ports/ports.ts";
import type { Intent } from "@muster/core/ports/provider.ts";
import type { Aws } from "../call/aws.ts";
import type { Catalog, MachineType } from "../catalog/catalog.ts";
import type { Fault } from "../fault.ts";
import type { Images } from "./image.ts";
import { type Market, marketOf, type Reservations } from "./market.ts";
import { interfacesOf, type Place, placeOf } from "./network.ts";
import type { Seeing } from "./observe.ts";
import { placementGroup } from "./placement.ts";
import type { SecurityGroups } from "./security-group.ts";
import { areShown, tagsOf } from "./tags.ts";

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

/** @param I what the machines start from. */
export interface Parts<I> {
  readonly type: MachineType;
  readonly place: Place;
  readonly source: I;
  readonly market: Market;
  readonly securityGroups: readonly string[];
  readonly placementGroup: string | undefined;
}

/** The call is not made when getting ready for it took longer, in ms: whoever asked may have given up on it. */
const READY_WITHIN = 20_000;

/**
 * All that the call needs.
 * @param sourceOf what the machines start from, looked up beside the rest.
 * @throws Fault of any of its calls; MusterError where this intent cannot be, and `busy` when it took too long.
 */
export async function prepare<I>(
  world: Launching,
  intent: Intent,
  sourceOf: (catalog: Catalog, type: MachineType) => Promise<I> | I,
): Promise<Parts<I>> {
  const began = world.clock.now();
  const catalog = await world.catalog();
  const type = typeOf(catalog, intent);
  const place = placeOf(catalog, intent, type);
  // What cannot be tagged is refused before anything is asked.
  tagsOf(world, intent);
  const [source, market, securityGroups, group] = await Promise.all([
    sourceOf(catalog, type),
    marketOf(world.reservations, intent),
    groupsOf(world, intent, place),
    intent.resources.placementGroup === true ? placementGroup(world, intent) : undefined,
  ]);
  if (world.clock.now() > began + READY_WITHIN)
    throw new MusterError("busy", "EC2 was slow to answer; the machines were not asked for yet");
  return { type, place, source, market, securityGroups, placementGroup: group };
}

const groupsOf = async (world: Launching, intent: Intent, { vpc, groups }: Place): Promise<readonly string[]> =>
  groups.length > 0 ? groups : [await world.securityGroups.get(vpc, intent.workspace)];

/** The offer was made of this catalog or of an older one. */
function typeOf(catalog: Catalog, { offer }: Intent): MachineType {
  const type = catalog.types.find(candidate => candidate.name === offer.instanceType);
  if (type !== undefined) return type;
  throw new MusterError("no_capacity", `${offer.instanceType} is not offered in ${catalog.region} any more`);
}

/** What the machines of one call have to themselves. */
export interface Own {
  readonly token: string;
  /** Id of the image. */
  readonly image: string;
  readonly disks: BlockDeviceMapping[];
  readonly tags: Tag[];
}

/** One call for the intent's hosts. */
export function requestOf(
  world: Launching,
  intent: Intent,
  parts: Omit<Parts<unknown>, "source">,
  { token, image, disks, tags }: Own,
): RunInstancesCommandInput {
  const isSpot = intent.offer.market === "spot";
  const tagged: ResourceType[] = ["instance", "volume", "network-interface"];
  if (isSpot) tagged.push("spot-instances-request");
  return {
    ClientToken: token,
    MinCount: intent.hosts.length,
    MaxCount: intent.hosts.length,
    InstanceType: parts.type.name as _InstanceType,
    ImageId: image,
    UserData: Buffer.from(world.userData(intent, parts.type)).toString("base64"),
    IamInstanceProfile: { Arn: world.hostProfile },
    NetworkInterfaces: interfacesOf(parts.place, parts.securityGroups),
    BlockDeviceMappings: disks,
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
    ...placementOf(intent, parts),
    ...parts.market,
  };
}

function placementOf(
  { resources }: Intent,
  { placementGroup: GroupName }: Pick<Parts<unknown>, "placementGroup">,
): Pick<RunInstancesCommandInput, "Placement"> {
  const isAlone = resources.tenancy === "dedicated";
  if (GroupName === undefined && !isAlone) return {};
  return { Placement: { ...(GroupName !== undefined && { GroupName }), ...(isAlone && { Tenancy: "dedicated" }) } };
}

/** The token was used with other parameters; EC2 says so only when something was made with it. */
export const MISMATCH = "IdempotentParameterMismatch";
/** All that was made with the token has ended; EC2 shows it for an hour or so. */
export const ENDED = "IdempotentInstanceTerminated";

/** What was remembered is there no more, or does not show yet; the next send looks it up again. */
const STALE = new Set(["InvalidGroup.NotFound", "InvalidSecurityGroupID.NotFound", "InvalidPlacementGroup.Unknown"]);

/** The refusal; `unavailable` when it is about what was remembered, which is forgotten. */
export function refusalOf(world: Launching, intent: Intent, place: Place, fault: Fault): Fault | MusterError {
  if (!STALE.has(fault.code)) return fault;
  if (place.groups.length > 0 && fault.code !== "InvalidPlacementGroup.Unknown")
    return new MusterError("launch_failed", `the security groups ${place.groups.join(", ")} are not all there`, {
      hint: "name others, or run it in the workspace's own with: --resources.security_groups null",
    });
  world.securityGroups.forget(place.vpc, intent.workspace);
  return new MusterError("unavailable", "a group that the machines were to join is not there yet", {}, fault);
}
