/** The image that machines start from: one that their task names, or the catalog's. */
import { type Image as Ami, type BlockDeviceMapping, DescribeImagesCommand, type Tag } from "@aws-sdk/client-ec2";
import { MusterError } from "@muster/core/error.ts";
import type { Clock } from "@muster/core/ports/ports.ts";
import * as z from "zod";
import type { Aws } from "../call/aws.ts";
import { json } from "../call/json.ts";
import { type Catalog, type Image, type MachineType, purposeOf } from "../catalog/catalog.ts";
import { Fault } from "../fault.ts";
import { answerOf, type Ec2 } from "./client.ts";
import { IMAGE } from "./images/tags.ts";
import { recall } from "./recall.ts";
import { MOVE } from "./snapshot/tags.ts";
import { tagOf } from "./tags.ts";

/** An image that a task names, or one of a machine's own disks. It may bring more disks than its root. */
export interface NamedImage extends Image {
  /** Its EBS disks but the root, as the image has them. */
  readonly disks?: readonly BlockDeviceMapping[];
  /** Names of its devices that are encrypted. */
  readonly encrypted?: readonly string[];
  /** Whether it is the disk of a machine of Muster's, saved or moved: those are nobody's to name by their ids. */
  readonly ofMachine?: boolean;
}

export interface Images {
  /**
   * @param name `ami-…`, or `ssm:/path` for the image that a parameter names.
   * @throws Fault when AWS cannot be asked; MusterError `launch_failed` for an image that no machine can start from.
   */
  get(name: string): Promise<NamedImage>;
  forget(name: string): void;
}

/** How long what a parameter or an image says is good, in ms. Parameters move when an image is renewed. */
const GOOD_FOR = 600_000;

const SSM = "ssm:";
const Parameter = z.object({ Parameter: z.object({ Value: z.string().startsWith("ami-") }) });

/** @throws MusterError `launch_failed` when the catalog has none that drives this machine. */
export function usualImage(catalog: Pick<Catalog, "images" | "region">, type: MachineType): Image {
  const purpose = purposeOf(type);
  const image = purpose === undefined ? undefined : catalog.images[purpose];
  if (image !== undefined) return image;
  throw new MusterError("launch_failed", `Muster has no image for ${type.name} in ${catalog.region}`, {
    hint: "name one: image_id: ami-… or ssm:/path",
  });
}

export interface Imaging {
  readonly ec2: Ec2;
  readonly aws: Aws;
  readonly clock: Clock;
  /** Of one attempt of a call, in ms. */
  readonly timeout?: number;
}

/** A launch waits for the parameter: so long for each attempt, in ms. */
const PATIENCE = 5_000;

export function images(world: Imaging): Images {
  const parameters = recall<string>(world.clock, GOOD_FOR);
  const known = recall<NamedImage>(world.clock, GOOD_FOR);
  return {
    async get(name) {
      const id = name.startsWith(SSM) ? await parameters.get(name, () => resolve(world, name.slice(SSM.length))) : name;
      return known.get(id, () => describe(world.ec2, id));
    },
    forget(name) {
      parameters.forget(name);
      known.forget(name);
    },
  };
}

async function resolve({ aws, timeout = PATIENCE }: Imaging, path: string): Promise<string> {
  const answer = await json(
    aws,
    "ssm",
    "GetParameter",
    { Name: path },
    { timeout: Math.min(PATIENCE, timeout), attempts: 3 },
  ).catch((error: unknown) => {
    if (error instanceof Fault && error.code === "ParameterNotFound") return {};
    throw error;
  });
  const value = Parameter.safeParse(answer).data?.Parameter.Value;
  if (value !== undefined) return value;
  throw new MusterError("launch_failed", `there is no parameter '${path}' that names an image`, {
    hint: "its value should be an AMI's id, such as ami-0abcdef1234567890",
  });
}

/** It must be an id: that is what the cache is by, and what EC2 can be asked for. */
async function describe(ec2: Ec2, id: string): Promise<NamedImage> {
  if (!/^ami-[0-9a-f]+$/.test(id))
    throw new MusterError("launch_failed", `'${id}' is no image`, {
      hint: "name an AMI (ami-…) or a parameter that holds one (ssm:/path)",
    });
  const answer = await answerOf("DescribeImages", ec2.reads.send(new DescribeImagesCommand({ ImageIds: [id] })));
  const image = answer.Images?.[0] && namedOf(answer.Images[0]);
  if (image !== undefined) return { ...image, id, ofMachine: isOfMachine(answer.Images?.[0]?.Tags) };
  throw new MusterError("launch_failed", `the image ${id} is not there, or does not start from an EBS disk`, {
    hint: "images are regional, and private ones must be shared with this account",
  });
}

const isOfMachine = (tags: readonly Tag[] | undefined): boolean =>
  [IMAGE, MOVE].some(key => tagOf(tags, key) !== undefined);

/** @throws MusterError `launch_failed` for the disk of a machine: whose it is, is known by its record alone. */
export function requireNamable(image: NamedImage): NamedImage {
  if (!image.ofMachine) return image;
  throw new MusterError("launch_failed", `${image.id} is a disk that Muster has kept, and is not used by its id`, {
    hint: "name the saved image, as muster image list shows it: image_id: muster:NAME",
  });
}

/** GiB, where an image does not say what its root takes. */
const USUAL_ROOT = 8;

/** The image with its disks; undefined when it does not start from an EBS disk. */
export function namedOf(image: Ami): NamedImage | undefined {
  const { ImageId: id, RootDeviceName: rootDevice } = image;
  if (id === undefined || rootDevice === undefined || image.RootDeviceType === "instance-store") return undefined;
  const mappings = image.BlockDeviceMappings?.filter(mapping => mapping.Ebs !== undefined) ?? [];
  const root = mappings.find(mapping => mapping.DeviceName === rootDevice);
  return {
    id,
    rootDevice,
    minDisk: root?.Ebs?.VolumeSize ?? USUAL_ROOT,
    disks: mappings.filter(mapping => mapping !== root),
    encrypted: mappings.flatMap(({ DeviceName: name, Ebs: ebs }) => (name && ebs?.Encrypted ? [name] : [])),
  };
}
