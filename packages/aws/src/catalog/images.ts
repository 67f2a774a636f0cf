/** The images that machines start from: public ones, found by the parameters under which their makers publish them. */
import { DescribeImagesCommand, type Image as Told } from "@aws-sdk/client-ec2";
import * as z from "zod";
import type { Aws } from "../call/aws.ts";
import { json } from "../call/json.ts";
import { answerOf, type Ec2 } from "../ec2/client.ts";
import type { Image, Problem, Purpose } from "./catalog.ts";

const UBUNTU = "/aws/service/canonical/ubuntu/server";
const DEEP = "/aws/service/deeplearning/ami";

/**
 * In order of preference. Ubuntu 22.04 comes first: from 24.04 on the system's Python refuses `pip install`, which the
 * setup of most task files begins with.
 */
export const PARAMETERS: Readonly<Record<Purpose, readonly string[]>> = {
  cpuX64: [
    `${UBUNTU}/22.04/stable/current/amd64/hvm/ebs-gp2/ami-id`,
    `${UBUNTU}/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id`,
  ],
  cpuArm64: [
    `${UBUNTU}/22.04/stable/current/arm64/hvm/ebs-gp2/ami-id`,
    `${UBUNTU}/24.04/stable/current/arm64/hvm/ebs-gp3/ami-id`,
  ],
  gpuX64: [
    `${DEEP}/x86_64/base-oss-nvidia-driver-gpu-ubuntu-22.04/latest/ami-id`,
    `${DEEP}/x86_64/base-oss-nvidia-driver-gpu-ubuntu-24.04/latest/ami-id`,
  ],
  gpuArm64: [
    `${DEEP}/arm64/base-oss-nvidia-driver-gpu-ubuntu-22.04/latest/ami-id`,
    `${DEEP}/arm64/base-oss-nvidia-driver-gpu-ubuntu-24.04/latest/ami-id`,
  ],
  neuronX64: [
    "/aws/service/neuron/dlami/multi-framework/ubuntu-22.04/latest/image_id",
    "/aws/service/neuron/dlami/multi-framework/ubuntu-24.04/latest/image_id",
  ],
};

/** Without these the deployment is of little use; regions may well lack the others. */
const OWED: readonly Purpose[] = ["cpuX64", "gpuX64"];

const Answer = z.object({
  Parameters: z.array(z.object({ Name: z.string(), Value: z.string() })).default([]),
});

export interface Found {
  readonly images: Readonly<Partial<Record<Purpose, Image>>>;
  readonly problems: readonly Problem[];
}

/** @throws Fault */
export async function images(aws: Aws, ec2: Pick<Ec2, "reads">): Promise<Found> {
  const ids = await idsOf(aws);
  const told = ids.size === 0 ? [] : await describe(ec2, [...new Set(ids.values())]);
  const known = new Map(told.flatMap(image => ofEc2(image) ?? []).map(image => [image.id, image]));
  const found = purposes().flatMap(purpose => {
    const id = PARAMETERS[purpose].map(name => ids.get(name)).find(one => one !== undefined);
    const image = id === undefined ? undefined : known.get(id);
    return image === undefined ? [] : [[purpose, image] as const];
  });
  const images: Found["images"] = Object.fromEntries(found);
  return { images, problems: OWED.filter(purpose => images[purpose] === undefined).map(missing) };
}

const purposes = (): readonly Purpose[] => Object.keys(PARAMETERS) as Purpose[];

const missing = (purpose: Purpose): Problem => ({
  part: "images",
  message: `this region publishes no ${purpose === "gpuX64" ? "image with NVIDIA's driver" : "Ubuntu image"}`,
  fix: "name an image of your own in the task: resources.image_id: ami-…",
});

/** Parameter name to image id. SSM takes ten names at a time, and leaves out those that it does not know. */
async function idsOf(aws: Aws): Promise<ReadonlyMap<string, string>> {
  const names = Object.values(PARAMETERS).flat();
  const found = new Map<string, string>();
  for (let from = 0; from < names.length; from += 10) {
    const answer = Answer.parse(await json(aws, "ssm", "GetParameters", { Names: names.slice(from, from + 10) }));
    for (const { Name, Value } of answer.Parameters) found.set(Name, Value);
  }
  return found;
}

/** By filter and not by id: one id that is gone would fail the whole call. */
async function describe(ec2: Pick<Ec2, "reads">, ids: string[]): Promise<readonly Told[]> {
  const command = new DescribeImagesCommand({ Filters: [{ Name: "image-id", Values: ids }] });
  return (await answerOf("DescribeImages", ec2.reads.send(command))).Images ?? [];
}

/** GB that a root disk has when the image does not say. */
const DISK = 8;

function ofEc2(told: Told): Image | undefined {
  const { ImageId: id, RootDeviceName: rootDevice } = told;
  if (id === undefined || rootDevice === undefined) return undefined;
  const root = told.BlockDeviceMappings?.find(mapping => mapping.DeviceName === rootDevice);
  return { id, rootDevice, minDisk: root?.Ebs?.VolumeSize ?? DISK };
}
