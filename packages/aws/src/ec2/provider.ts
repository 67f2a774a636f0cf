/** The `aws` provider: hosts are EC2 machines of this deployment's account and region. */
import type { Clock, Log } from "@muster/core/ports/ports.ts";
import type {
  ClusterRef,
  FoundImage,
  ImageIntent,
  ImageRef,
  Intent,
  Leftover,
  Machine,
  MachineProvider,
  MoveRef,
  SavedImage,
  Snapshot,
} from "@muster/core/ports/provider.ts";
import type { Aws } from "../call/aws.ts";
import type { Catalog, MachineType } from "../catalog/catalog.ts";
import { checks } from "../catalog/checks.ts";
import { toMusterError } from "../fault/ec2.ts";
import { type Context, Fault } from "../fault.ts";
import { ec2Of } from "./client.ts";
import { images } from "./image.ts";
import { image, images as savedImages } from "./images/find.ts";
import { deleteImage } from "./images/remove.ts";
import { saveImage } from "./images/save.ts";
import { kick } from "./kick.ts";
import { launch } from "./launch.ts";
import { reservations } from "./market.ts";
import { observe, observeAll, type Seen, sweep } from "./observe.ts";
import { offering } from "./offering.ts";
import { leftGroups, removeGroup } from "./placement.ts";
import { setPowerOff, start, stop } from "./power.ts";
import { isMoved, restore } from "./restore.ts";
import { securityGroups } from "./security-group.ts";
import { snapshots } from "./snapshot/list.ts";
import { deleteSnapshots } from "./snapshot/remove.ts";
import { snapshot } from "./snapshot/take.ts";
import { terminate } from "./terminate.ts";
import { consoleOf, why } from "./why.ts";

export interface Ec2ProviderOptions {
  readonly aws: Aws;
  /** `<app>-<stage>`: the tag by which machines are told apart. */
  readonly deployment: string;
  /** ARN of the instance profile that hosts get. */
  readonly hostProfile: string;
  /** Name of the SSM document that makes an agent look. */
  readonly kickDocument: string;
  /** Tags that everything of this deployment must bear. */
  readonly tags: Readonly<Record<string, string>>;
  /** ARN of the KMS key for disks; the account's default key when absent. */
  readonly kmsKey?: string | undefined;
  readonly catalog: () => Promise<Catalog>;
  /** What a machine of this type runs at its boot, as text. It holds no secret: whoever is on the machine can read it. */
  readonly userData: (intent: Intent, type: MachineType) => string;
  readonly clock: Clock;
  readonly log: Log;
  /** Of one attempt of a call, in ms. */
  readonly timeout?: number;
}

/** What EC2 can, beyond what every provider does. */
export interface Ec2Provider extends MachineProvider {
  /** An image of each of these machines, and of its disks' EBS snapshots; see the port. */
  snapshot(of: MoveRef, machineIds: readonly string[]): Promise<readonly Snapshot[]>;
  snapshots(): Promise<readonly MoveRef[]>;
  deleteSnapshots(of: MoveRef): Promise<void>;
  /** An AMI of the machine, and of its disks' EBS snapshots; see the port. */
  saveImage(intent: ImageIntent): Promise<SavedImage>;
  image(ref: ImageRef): Promise<SavedImage | undefined>;
  images(): Promise<readonly FoundImage[]>;
  deleteImage(ref: ImageRef): Promise<void>;
  /** Those that EC2 still shows: for an hour or so. */
  ended(cluster: ClusterRef): Promise<readonly Machine[]>;
  /** Changes what becomes of the cluster's machines when they power themselves off. Spot machines always end. */
  setPowerOff(cluster: ClusterRef, action: "stop" | "terminate"): Promise<void>;
  /** Why the cluster's machines ended, or how far their boot came: sentences for people. */
  why(cluster: ClusterRef): Promise<readonly string[]>;
  /** What a machine said of its boot, latest last. */
  console(machineId: string): Promise<readonly string[]>;
  /** Placement groups. */
  leftovers(machines: readonly Machine[]): Promise<readonly Leftover[]>;
  removeLeftover(of: Leftover): Promise<void>;
}

export function ec2Provider(options: Ec2ProviderOptions): Ec2Provider {
  const ec2 = ec2Of(options.aws, options.timeout);
  const world = { ...options, ec2 };
  const launching = {
    ...world,
    images: images(world),
    securityGroups: securityGroups(world),
    reservations: reservations(world),
  };
  return {
    ...offering(options.catalog, options.clock, checks),
    launch: intent =>
      told(
        isMoved(intent) ? restore(launching, intent) : launch(launching, intent),
        contextOf(options.aws.region, intent),
      ),
    observe: async ref => machinesOf(await told(observe(world, ref))),
    ended: async ref => machinesOf(await told(observeAll(world, ref))).filter(({ state }) => OVER.has(state)),
    start: ref => told(start(world, ref)),
    stop: ref => told(stop(world, ref)),
    terminate: async ids => void (await told(terminate(world, ids))),
    sweep: async () => machinesOf(await told(sweep(world))),
    snapshot: (of, machineIds) => told(snapshot(world, of, machineIds)),
    snapshots: () => told(snapshots(world)),
    deleteSnapshots: of => told(deleteSnapshots(world, of)),
    saveImage: intent => told(saveImage(world, intent)),
    image: ref => told(image(world, ref)),
    images: () => told(savedImages(world)),
    deleteImage: ref => told(deleteImage(world, ref)),
    kick: (_, hosts) => kick(world, hosts),
    setPowerOff: (ref, action) => told(setPowerOff(world, ref, action)),
    why: ref => told(why(world, ref)),
    console: machineId => told(consoleOf(world, machineId)),
    leftovers: machines => told(leftGroups(world, new Set(machines.map(machine => machine.clusterId)))),
    removeLeftover: left => told(removeGroup(world, left)),
  };
}

const OVER: ReadonlySet<Machine["state"]> = new Set(["terminating", "terminated"]);

const machinesOf = (seen: readonly Seen[]): readonly Machine[] => seen.map(({ machine }) => machine);

const contextOf = (region: string, { offer, resources }: Intent): Context => ({
  during: "launch",
  region,
  zone: offer.zone,
  instanceType: offer.instanceType,
  market: offer.market,
  image: resources.image,
});

/** Faults, in the system's own words. */
async function told<T>(verb: Promise<T>, context?: Context): Promise<T> {
  try {
    return await verb;
  } catch (error) {
    throw error instanceof Fault ? toMusterError(error, context) : error;
  }
}
