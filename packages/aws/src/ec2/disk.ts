/** The disks of a machine. */
import type { BlockDeviceMapping, EbsBlockDevice } from "@aws-sdk/client-ec2";
import { MusterError } from "@muster/core/error.ts";
import type { Resources } from "@muster/core/task/task.ts";
import type { NamedImage } from "./image.ts";

/** GiB, when nothing was asked: images with GPU drivers and one set of Python packages take half of it. */
const USUAL = 256;

/** What a gp3 disk may be asked to do: operations and MiB per second. The first is what every one does at no extra price. */
const tiers: Readonly<Record<string, { readonly iops: number; readonly throughput: number }>> = {
  none: { iops: 3_000, throughput: 125 },
  low: { iops: 3_000, throughput: 125 },
  medium: { iops: 4_000, throughput: 250 },
  high: { iops: 8_000, throughput: 500 },
  ultra: { iops: 16_000, throughput: 1_000 },
  best: { iops: 16_000, throughput: 1_000 },
};

const tierOf = ({ diskTier = "none" }: Pick<Resources, "diskTier">) =>
  Object.hasOwn(tiers, diskTier.toLowerCase()) ? tiers[diskTier.toLowerCase()] : undefined;

const unknownTier = ({ diskTier }: Pick<Resources, "diskTier">): string => `there is no disk tier '${diskTier}'`;
const CHOOSE = `choose one of: ${Object.keys(tiers).join(", ")}`;

/** Why there is no such tier; undefined when there is. */
export const refuseTier = (resources: Pick<Resources, "diskTier">): { reason: string; hint: string } | undefined =>
  tierOf(resources) === undefined ? { reason: unknownTier(resources), hint: CHOOSE } : undefined;

/**
 * US dollars per GB and month of a gp3 disk, as in us-east-1; other regions ask for up to half as much again. What more
 * operations and throughput cost is not counted. (https://aws.amazon.com/ebs/pricing/)
 */
const GB_MONTH = 0.08;
/** As AWS has months on its bills. */
const HOURS_PER_MONTH = 730;

/** US dollars per hour for the disk of a host, as far as the request says how large it is. */
export const diskHourly = ({ diskSize = USUAL }: Pick<Resources, "diskSize">): number =>
  (diskSize * GB_MONTH) / HOURS_PER_MONTH;

/** gp3: operations per second for each GiB, and MiB per second for each operation. */
const IOPS_PER_GIB = 500;
const THROUGHPUT_PER_IOPS = 0.25;

/**
 * The image's root device as a gp3 disk, and its other EBS disks as they are: all encrypted, and gone with their machine.
 *
 * Gotcha: a disk that the image would leave behind belongs to nobody once its machine is gone. Those are named again with
 * all that the image says of them, so that nothing hangs on what EC2 fills in.
 * @throws MusterError `unsupported` for a disk tier that does not exist.
 */
export function disksOf(
  resources: Pick<Resources, "diskSize" | "diskTier">,
  image: NamedImage,
  kmsKey: string | undefined,
): BlockDeviceMapping[] {
  const tier = tierOf(resources);
  if (tier === undefined) throw new MusterError("unsupported", unknownTier(resources), { hint: CHOOSE });
  // An image cannot be put on a disk that is smaller than its own.
  const size = Math.max(resources.diskSize ?? USUAL, image.minDisk);
  const iops = Math.min(tier.iops, Math.max(3_000, size * IOPS_PER_GIB));
  const root: EbsBlockDevice = {
    VolumeType: "gp3",
    VolumeSize: size,
    Iops: iops,
    Throughput: Math.min(tier.throughput, iops * THROUGHPUT_PER_IOPS),
  };
  const safe = { Encrypted: true, DeleteOnTermination: true, ...(kmsKey !== undefined && { KmsKeyId: kmsKey }) };
  return [{ DeviceName: image.rootDevice, Ebs: root }, ...(image.disks ?? [])].map(({ DeviceName, Ebs }) => ({
    DeviceName,
    Ebs: { ...Ebs, ...safe },
  }));
}

/**
 * The same for the image of a machine's own disks: those that are encrypted stay so with the key that they have.
 * @throws MusterError `unsupported` for a disk tier that does not exist.
 */
export const ownDisksOf = (
  resources: Pick<Resources, "diskSize" | "diskTier">,
  image: NamedImage,
  kmsKey: string | undefined,
): BlockDeviceMapping[] =>
  disksOf(resources, image, kmsKey).map(({ DeviceName, Ebs: { KmsKeyId, ...ebs } = {} }) => {
    const keepsKey = image.encrypted?.includes(DeviceName ?? "") === true;
    return { DeviceName, Ebs: { ...ebs, ...(!keepsKey && KmsKeyId !== undefined && { KmsKeyId }) } };
  });
