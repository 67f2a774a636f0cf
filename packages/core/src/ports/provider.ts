/** Machine providers: who gives hosts on which the agent runs. */
import type { Choice } from "../task/resources.ts";

/** A machine type at a price, in a place, on a market. Pure data: it can be shown before anything is asked of a cloud. */
export interface Offer {
  readonly provider: string;
  readonly instanceType: string;
  readonly region?: string | undefined;
  readonly zone?: string | undefined;
  readonly market: "on_demand" | "spot" | "none";
  readonly cpus: number;
  /** GiB. */
  readonly memory: number;
  readonly accelerators: Readonly<Record<string, number>>;
  /** US dollars per host and hour; 0 for machines that cost nothing. */
  readonly hourly: number;
  /** US dollars per host and hour for its disks, while it is stopped; absent: nothing. */
  readonly disk?: number | undefined;
  /** Whose capacity it is, where it is not everybody's: a reservation's, that of hardware of one's own, … */
  readonly pool?: string | undefined;
  /** Which of the request's choices it belongs to, by index; absent where it has none. */
  readonly choice?: number | undefined;
  /** GB of local disks per host, which a stop empties; absent: none. Not kept with a cluster. */
  readonly localDisk?: number | undefined;
}

/** What another group of the same cluster is going to have. */
export interface Beside {
  readonly offer: Offer;
  readonly nodes: number;
}

export interface Capabilities {
  /** Whether machines can be stopped with their disks kept. */
  readonly stop: boolean;
  /** Whether disks of stopped machines can be moved to other ones, by snapshot; not, when absent. */
  readonly move?: boolean;
  /** Whether disks of stopped machines can be saved as images that others start from; not, when absent. */
  readonly image?: boolean;
  /** How long after a launch call that answered an observation may still miss its machines, in ms. */
  readonly settle: number;
  /** How long after a launch call that never answered its machines may still appear, in ms; a minute or more to spare. */
  readonly unknown: number;
  /** How long machines may take from launch until their agent has registered, in ms. */
  readonly boot: number;
  /** How many launch calls the cloud takes; as many as come, when absent. */
  readonly launches?: { readonly burst: number; readonly perSecond: number };
}

/** What a provider can do for a request. */
export interface Offered {
  /** Cheapest first. */
  readonly offers: readonly Offer[];
  /** Why there is none, and what to do about it. */
  readonly reason?: string;
  readonly hint?: string;
  /** Machines that would do, but that the account may not have as things stand. */
  readonly barred?: readonly Barred[];
  /** What else is to be known of the offers: sentences. */
  readonly notices?: readonly string[];
}

export interface Barred {
  readonly instanceType: string;
  readonly market: Offer["market"];
  /** Such as the name of the quota that is too small. */
  readonly reason: string;
  /** Where to ask for it. */
  readonly link?: string;
}

/** What was decided, and stored, before the provider is called. The same intent may be sent twice. */
export interface Intent {
  readonly workspace: string;
  readonly clusterId: string;
  readonly generation: number;
  /** Counts the cluster's launch calls with different parameters; part of the idempotency token. */
  readonly try: number;
  /** Name of the group that its hosts are of. */
  readonly group: string;
  readonly offer: Offer;
  /** What people see beside the machines, such as in their tags. */
  readonly label: { readonly cluster: string; readonly owner: string };
  /** What was asked for, for this group: of several choices the one that the offer belongs to. */
  readonly resources: Choice;
  /** What becomes of a machine that powers itself off. */
  readonly onPowerOff: "stop" | "terminate";
  /** The move (see `MoveRef`) whose snapshots the hosts' disks are made from; absent: from the image. */
  readonly move?: number | undefined;
  /** One per host of the group, in rank order, without a gap. The ranks of a later group do not begin at 0. */
  readonly hosts: readonly { readonly hostId: string; readonly rank: number; readonly enrollmentToken: string }[];
}

export type MachineState = "pending" | "running" | "stopping" | "stopped" | "terminating" | "terminated";

/** One machine as the provider sees it, with the tags of the intent that made it. */
export interface Machine {
  readonly machineId: string;
  readonly state: MachineState;
  readonly workspace: string;
  readonly clusterId: string;
  readonly generation: number;
  readonly try: number;
  readonly hostId: string;
  /** Epoch ms. */
  readonly launchedAt: number;
  readonly instanceType?: string | undefined;
  readonly market?: Offer["market"] | undefined;
  /** Somebody has asked, at the provider itself, that it be kept: it is not ended for want of an owner. */
  readonly isHeld?: boolean | undefined;
}

/** A machine type, for people who look around. */
export interface Listed {
  readonly provider: string;
  readonly instanceType: string;
  readonly cpus: number;
  /** GiB. */
  readonly memory: number;
  readonly accelerators: Readonly<Record<string, number>>;
  /** GiB per accelerator. */
  readonly acceleratorMemory?: number | undefined;
  /** GB of local disks, which a stop empties. */
  readonly localDisk?: number | undefined;
  readonly region?: string | undefined;
  readonly zones: readonly string[];
  /** US dollars per hour on demand; absent where no price is known. */
  readonly hourly?: number | undefined;
  /** Where spot capacity is cheapest. */
  readonly spotHourly?: number | undefined;
}

/** Something that must be in order before machines can be had. */
export interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly message: string;
  /** What to do about it. */
  readonly fix?: string;
}

/** A host whose agent is to look. */
export interface Kicked {
  readonly hostId: string;
  /** Absent where the machine has not been told apart yet. */
  readonly machineId?: string | undefined;
}

export type ClusterRef = { readonly workspace: string; readonly clusterId: string };

/**
 * One move of a cluster's disks. Moves of a cluster are counted from 1, whatever becomes of them: the snapshots of one are
 * never taken for those of another, so that whoever deletes those of an older one, late, does no harm.
 */
export type MoveRef = ClusterRef & { readonly move: number };

/** A host's disks as they were when its machine stood still: a machine anywhere can be made of them. */
export interface Snapshot {
  readonly hostId: string;
  readonly state: "pending" | "complete" | "failed";
}

/** An image that Muster has saved, or is saving. */
export type ImageRef = { readonly workspace: string; readonly imageId: string };

/** What was decided, and stored, before the provider is called. The same intent may be sent twice. */
export interface ImageIntent extends ImageRef {
  /** The host whose disk it is, of this generation of its cluster's machines; it is stopped. */
  readonly clusterId: string;
  readonly generation: number;
  readonly hostId: string;
  /** What people see beside the image. */
  readonly label: { readonly name: string; readonly owner: string; readonly cluster: string };
}

export interface SavedImage {
  readonly state: "pending" | "complete" | "failed";
  /** The provider's own name of it. */
  readonly ref: string;
  readonly region?: string | undefined;
  readonly architecture?: string | undefined;
  /** GiB of the disk. */
  readonly size?: number | undefined;
  /** Why it has failed, where somebody says. */
  readonly message?: string | undefined;
}

/** Epoch ms. */
export type FoundImage = ImageRef & { readonly createdAt: number };

/** Something that was made for a cluster and costs nothing, such as a place for its machines close to each other. */
export interface Leftover extends ClusterRef {
  readonly kind: "placement_group";
  /** The provider's own name of it. */
  readonly id: string;
  /** Epoch ms since when it is there. */
  readonly since?: number | undefined;
}

export interface MachineProvider {
  readonly name: string;
  readonly capabilities: Capabilities;
  /**
   * For so many hosts of a kind, asked for without choices. Asks no cloud: reads at most a catalog that was made before.
   * @param beside what the cluster's other groups are going to take of the account's quotas
   */
  offers(resources: Choice, nodes: number, beside?: readonly Beside[]): Promise<Offered>;
  /** All machine types that it knows. */
  catalog(): Promise<readonly Listed[]>;
  /** Whether it is ready for work. */
  checks(): Promise<readonly Check[]>;
  /**
   * All hosts of the intent or none. Idempotent by cluster, generation and try.
   * @throws MusterError `no_capacity` or `quota_exceeded`: another offer may do; `busy`: nothing was made, ask again;
   * `unavailable`: nobody knows, ask again; any other code: nothing was made, and this intent will never do.
   */
  launch(intent: Intent): Promise<readonly Machine[]>;
  /** Machines that bear the cluster's tag and are not terminated. Eventual, within `capabilities.settle`. */
  observe(cluster: ClusterRef): Promise<readonly Machine[]>;
  /**
   * The cluster's machines that end, or have ended, as the cloud itself tells for as long as it remembers: that one does not
   * show is no reason to name it. Absent where nobody can tell.
   */
  ended?(cluster: ClusterRef): Promise<readonly Machine[]>;
  /** @throws MusterError `no_capacity` when the stopped machines cannot be started now. */
  start(cluster: ClusterRef): Promise<void>;
  stop(cluster: ClusterRef): Promise<void>;
  /**
   * Makes a snapshot, for this move, of each of the cluster's stopped machines that are named, where none is yet; and tells
   * of all that there are for this move: also of machines that have ended since. Absent, like the two below, where disks
   * cannot be moved.
   * @throws MusterError `unavailable` or `busy`: ask again.
   */
  snapshot?(of: MoveRef, machineIds: readonly string[]): Promise<readonly Snapshot[]>;
  /** The moves of this deployment's clusters of which there are snapshots, or parts of some. */
  snapshots?(): Promise<readonly MoveRef[]>;
  /** Deletes the move's snapshots; what is gone already is success. */
  deleteSnapshots?(of: MoveRef): Promise<void>;
  /**
   * Makes an image of the stopped host's disk, unless it is made already: it is looked for by its id first. When it has
   * answered, the disk may be in use again. Absent, like the three below, where no images can be saved.
   * @throws MusterError `busy`: nothing was made, ask again; `unavailable`: nobody knows, ask again; any other: never.
   */
  saveImage?(intent: ImageIntent): Promise<SavedImage>;
  /** What has become of it; undefined while it does not show, or when it is gone. */
  image?(ref: ImageRef): Promise<SavedImage | undefined>;
  /** The images of this deployment, or parts of some. */
  images?(): Promise<readonly FoundImage[]>;
  /** Deletes all that there is of it; what is gone already is success. @throws MusterError `busy`: ask again. */
  deleteImage?(ref: ImageRef): Promise<void>;
  /** Changes what becomes of machines that power themselves off; absent where machines cannot do that. */
  setPowerOff?(cluster: ClusterRef, action: "stop" | "terminate"): Promise<void>;
  /** Why machines are not what they should be, as sentences; absent where nobody can tell. */
  why?(cluster: ClusterRef): Promise<readonly string[]>;
  /** Asks for the end of these machines; the end is confirmed by `observe`. Unknown machines are success. */
  terminate(machineIds: readonly string[]): Promise<void>;
  /** Every machine of this deployment that is not terminated. */
  sweep(): Promise<readonly Machine[]>;
  /**
   * What is left of this deployment's clusters that have no machines, and are not about to get some; absent where nothing is.
   * @param machines what `sweep` has just answered
   */
  leftovers?(machines: readonly Machine[]): Promise<readonly Leftover[]>;
  /** Removes it; what is gone already is success. @throws when it is in use after all: it is asked for again. */
  removeLeftover?(of: Leftover): Promise<void>;
  /** Makes the hosts' agents look at once. Best effort: a lost kick costs one interval. */
  kick(cluster: ClusterRef, hosts: readonly Kicked[]): Promise<void>;
}
