/**
 * Machines made of snapshots: each host of the intent from its own image, by a RunInstances and a token of its own.
 *
 * Lifecycle: what there is of this try is looked for first; the other hosts' machines are asked for, some at a time; when
 * all are there they are the answer. It is sent again until then, and goes on where it was.
 *
 * All or none: when one is refused, those that are there are ended, and only when that is certain is the refusal said. A
 * try with a machine that has ended can never be whole, and its tokens are used up: another try has to be made.
 */
import { RunInstancesCommand } from "@aws-sdk/client-ec2";
import { MusterError } from "@muster/core/error.ts";
import type { Intent, Machine } from "@muster/core/ports/provider.ts";
import { toMusterError } from "../fault/ec2.ts";
import { Fault } from "../fault.ts";
import { answerOf } from "./client.ts";
import { ownDisksOf } from "./disk.ts";
import { madeNow } from "./launch.ts";
import { observeAll, type Seen } from "./observe.ts";
import { type Launching, MISMATCH, type Parts, prepare, refusalOf, requestOf } from "./request.ts";
import { lost, over } from "./settled.ts";
import { type FoundImage, imagesOf } from "./snapshot/find.ts";
import { startFrom } from "./snapshot/start.ts";
import { tagsOf, tokenOf } from "./tags.ts";
import { terminate } from "./terminate.ts";

/** An intent whose disks were moved. */
export type Moved = Intent & { readonly move: number };

export const isMoved = (intent: Intent): intent is Moved => intent.move !== undefined;

/** Machines asked for at once: EC2 takes a few calls, and then two a second. */
const AT_ONCE = 4;

/** After so long, in ms, no further machine is asked for until it is sent again: whoever asked may have given up on it. */
const ASK_WITHIN = 20_000;
/** How long after its beginning a launch may still end what it has made, in ms: well within its caller's lease. */
const UNDO_WITHIN = 20_000;

type Made = Pick<Seen, "instance"> & { readonly machine: Machine | undefined };

interface Source {
  /** What an earlier send has made. */
  readonly seen: readonly Seen[];
  readonly images: ReadonlyMap<string, FoundImage>;
}

/**
 * @throws MusterError `unavailable` while not all are there, or not all have ended; `busy` when certainly none is; any
 * other only when none is left. Fault, in the same sense.
 */
export async function restore(world: Launching, intent: Moved): Promise<readonly Machine[]> {
  /** What is known to be there, by host. */
  const made = new Map<string, Made>();
  const began = world.clock.now();
  try {
    return await whole(world, intent, made);
  } catch (error) {
    if (isRefusal(error)) await undo(world, intent, made, began + UNDO_WITHIN);
    throw error;
  }
}

/** Whether it says that this intent will never do, and nothing may be left of it. */
function isRefusal(error: unknown): boolean {
  const said = error instanceof Fault ? toMusterError(error, { during: "launch" }) : error;
  return said instanceof MusterError && said.code !== "busy" && said.code !== "unavailable";
}

async function whole(world: Launching, intent: Moved, made: Map<string, Made>): Promise<readonly Machine[]> {
  const until = world.clock.now() + ASK_WITHIN;
  const parts = await prepare<Source>(world, intent, async () => {
    const [seen, images] = await Promise.all([mineOf(world, intent), imagesOf(world, intent)]);
    return { seen, images: new Map(images.map(image => [image.of.hostId, image])) };
  });
  for (const one of parts.source.seen) made.set(one.machine.hostId, one);
  requireAlive(made);
  const missing = intent.hosts.filter(({ hostId }) => !made.has(hostId));
  const failures = await askFor(world, intent, parts, { missing, made, until });
  requireAlive(made);
  if (failures.length > 0) throw worst(failures, made.size);
  const machines = intent.hosts.flatMap(({ hostId }) => made.get(hostId)?.machine ?? []);
  if (machines.length !== intent.hosts.length) throw lost(intent);
  return machines;
}

/** What this try has made, with what has ended since. */
async function mineOf(world: Launching, intent: Intent): Promise<readonly Seen[]> {
  const hosts = new Set(intent.hosts.map(({ hostId }) => hostId));
  return (await observeAll(world, intent)).filter(
    ({ machine }) =>
      machine.generation === intent.generation && machine.try === intent.try && hosts.has(machine.hostId),
  );
}

const isOver = ({ machine }: Made): boolean => machine?.state === "terminating" || machine?.state === "terminated";

/** Somebody ended the machine: mostly this file. */
const ENDED_BY_US = "Client.UserInitiatedShutdown";

/** @throws MusterError `no_capacity` or by the reason of the end, when a machine has ended. */
function requireAlive(made: ReadonlyMap<string, Made>): void {
  const ended = [...made.values()].filter(isOver);
  if (ended.length === 0) return;
  const other = ended.find(({ instance }) => instance.StateReason?.Code !== ENDED_BY_US);
  if (other !== undefined) throw over(other.instance);
  throw new MusterError("no_capacity", "this try of the launch was given up before all of its machines were there");
}

interface Asking {
  readonly missing: Intent["hosts"];
  readonly made: Map<string, Made>;
  /** Epoch ms. */
  readonly until: number;
}

/** @returns what failed; after the first failure nothing more is asked for. */
async function askFor(
  world: Launching,
  intent: Moved,
  parts: Parts<Source>,
  { missing, made, until }: Asking,
): Promise<readonly unknown[]> {
  const failures: unknown[] = [];
  const queue = missing.values();
  const next = async () => {
    for (const host of queue) {
      if (failures.length > 0) return;
      if (world.clock.now() > until) {
        failures.push(new MusterError("unavailable", "EC2 was slow; not all machines have been asked for yet"));
        return;
      }
      await ask(world, { ...intent, hosts: [host] }, parts).then(
        one => void made.set(host.hostId, one),
        (error: unknown) => void failures.push(error),
      );
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, next));
  return failures;
}

/** What is said of an image that does not show, or shows and cannot be used yet. */
const NOT_YET = /^Invalid(AMIID|Snapshot|SnapshotID)\.(NotFound|Unavailable)$/;

/** The machine of the intent's only host. */
async function ask(world: Launching, intent: Moved, parts: Parts<Source>): Promise<Made> {
  const [host] = intent.hosts;
  const image = startFrom(parts.source.images.get(host?.hostId ?? ""), parts.type, intent);
  const tags = tagsOf(world, intent);
  const request = requestOf(world, intent, parts, {
    token: tokenOf(world.deployment, intent, host?.rank ?? 0),
    image: image.id,
    disks: ownDisksOf(intent.resources, image, world.kmsKey),
    tags,
  });
  try {
    const { Instances: [instance] = [] } = await answerOf(
      "RunInstances",
      world.ec2.writes.send(new RunInstancesCommand(request)),
    );
    if (instance === undefined) throw lost(intent);
    return madeNow(world.deployment, instance, tags);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    if (error.code === MISMATCH) return madeBefore(world, intent, error);
    if (NOT_YET.test(error.code))
      throw new MusterError("unavailable", `the snapshot of ${host?.hostId} cannot be used yet`, {}, error);
    throw refusalOf(world, intent, parts.place, error);
  }
}

/** The machine that an earlier send has made, with other parameters: a deploy has changed them since. */
async function madeBefore(world: Launching, intent: Moved, fault: Fault): Promise<Made> {
  const [one] = await mineOf(world, intent);
  if (one === undefined) throw lost(intent, fault);
  return one;
}

/** What of several failures is to be said: that nobody knows, before a refusal, before that it may go later. */
function worst(failures: readonly unknown[], there: number): unknown {
  const unknown = failures.find(error => codeOf(error) === "unavailable" || codeOf(error) === undefined);
  if (unknown !== undefined) return unknown;
  const [first] = failures;
  const refusal = failures.find(isRefusal);
  if (refusal !== undefined || there === 0) return refusal ?? first;
  // Some are there: `busy` would say that none is.
  return new MusterError("unavailable", "EC2 could not take all calls for now; some machines are there", {}, first);
}

const codeOf = (error: unknown): string | undefined => {
  if (error instanceof Fault) return toMusterError(error, { during: "launch" }).code;
  return error instanceof MusterError ? error.code : undefined;
};

/**
 * Ends what there is of this try.
 * @throws MusterError `unavailable` when not all have certainly been told to end.
 */
async function undo(world: Launching, intent: Moved, made: ReadonlyMap<string, Made>, until: number): Promise<void> {
  const open = (cause?: unknown) =>
    new MusterError("unavailable", "machines of a launch that was refused in part could not be ended yet", {}, cause);
  try {
    const there = [...(await mineOf(world, intent)), ...made.values()].filter(one => !isOver(one));
    const ids = [...new Set(there.flatMap(({ instance }) => instance.InstanceId ?? []))];
    // Somebody else may have sent the same intent by now, and said that its machines are there.
    if (world.clock.now() > until) throw open();
    const unknown = await terminate(world, ids);
    // A machine that was just made may not be known yet, and lives.
    if (unknown.length > 0) throw open();
  } catch (error) {
    throw error instanceof MusterError ? error : open(error);
  }
}
