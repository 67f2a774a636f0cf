/** Images, disks and hardware that a request asks for. Pure; against the catalog of support.ts. */

import { offers } from "@muster/aws/ec2/offers/offers.ts";
import type { Choice } from "@muster/core/task/resources.ts";
import { describe, expect, test } from "vitest";
import { catalog } from "./support.ts";

const of = (resources: Choice) => offers(catalog, resources);
const names = (resources: Choice) => [...new Set(of(resources).offers.map(offer => offer.instanceType))];

describe("images", () => {
  const images = { "us-east-1": "ami-0123", "eu-west-1": "ami-0456" };

  test("the one of this region is the one that counts, and one for all regions stands over it", () => {
    expect(names({ accelerators: { "V100-32GB": 8 }, images })).toEqual(["p3dn.24xlarge"]);
    expect(names({ images: { "eu-west-1": "ami-0456" }, image: "ami-0789", instanceType: "p3dn.24xlarge" })).toEqual([
      "p3dn.24xlarge",
    ]);
  });

  test("for other regions only are refused, with the regions", () => {
    expect(of({ images: { "us-west-2": "ami-1", "eu-west-1": "ami-2" } })).toEqual({
      offers: [],
      reason: "images are named for eu-west-1, us-west-2, and this deployment makes machines in us-east-1",
      hint: "name one for us-east-1, or run it on Muster's own with: --resources.image_id null",
    });
  });

  test.each([
    [
      "docker:pytorch/pytorch",
      "'docker:pytorch/pytorch' is a container's image, and machines boot from AMIs",
      "name it in the task, beside resources: container: pytorch/pytorch",
    ],
    [
      "ghcr.io/a/b",
      "'ghcr.io/a/b' is no image of EC2: those are AMIs (ami-…), and parameters that hold one (ssm:/path)",
      "run it on Muster's own with: --resources.image_id null",
    ],
  ])("%s is none", (image, reason, hint) => {
    expect(of({ image })).toEqual({ offers: [], reason, hint });
    expect(of({ images: { "us-east-1": image } }).offers).toEqual(of({}).offers);
  });

  test("a stock image of another launcher is ours, and that is said", () => {
    const found = of({ image: "skypilot:gpu-ubuntu-2204" });
    expect(found.offers).toEqual(of({}).offers);
    expect(found.notices).toEqual(["machines start from Muster's own image, in place of 'skypilot:gpu-ubuntu-2204'"]);
  });
});

test("every tier of disks is one, in any case", () => {
  for (const diskTier of ["low", "medium", "HIGH", "ultra", "Best", "none"])
    expect(of({ diskTier }).offers).toEqual(of({}).offers);
  expect(of({ diskTier: "constructor" }).reason).toBe("there is no disk tier 'constructor'");
});

test("of dedicated machines it is said that their prices are others", () => {
  expect(of({ tenancy: "dedicated" }).notices).toEqual([
    "prices are those of shared hardware: dedicated machines cost more, and AWS adds a fee per hour",
  ]);
  expect(of({})).not.toHaveProperty("notices");
});
