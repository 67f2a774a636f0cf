/** Subnets and security groups that a request names. Pure; against the catalog of support.ts with some given free. */

import { offers } from "@muster/aws/ec2/offers/offers.ts";
import type { Choice } from "@muster/core/task/resources.ts";
import { expect, test } from "vitest";
import { catalog } from "./support.ts";

const vpc = catalog.network!.vpc;
const closed = { public: false, assigns: false, egress: true };
const own = {
  deployment: "app-test",
  subnets: [
    { id: "subnet-e", zone: "us-east-1e", vpc: "vpc-own", ...closed },
    { id: "subnet-d", zone: "us-east-1d", vpc, ...closed },
  ],
  securityGroups: [
    { id: "sg-own", vpc: "vpc-own" },
    { id: "sg-here", vpc },
  ],
};
const of = (resources: Choice, from = { ...catalog, own }) => offers(from, resources);
const zones = (resources: Choice) => [...new Set(of(resources).offers.map(offer => offer.zone))];

test("a subnet that is named is where machines are, in its zone alone", () => {
  expect(zones({ subnet: "subnet-d" })).toEqual(["us-east-1d"]);
  expect(zones({ subnet: "subnet-e", securityGroups: ["sg-own"], accelerators: { H100: 8 } })).toEqual(["us-east-1e"]);
  const [first] = catalog.network!.subnets;
  expect(zones({ subnet: first!.id })).toEqual([first!.zone]);
  expect(zones({ securityGroups: ["sg-here"] })).toEqual(zones({}));
});

test("several adapters need no other subnet where the one that is named will do", () => {
  expect(zones({ subnet: "subnet-d", instanceType: "p4d.24xlarge", efa: true })).toEqual(["us-east-1d"]);
});

const leaveOut = (key: string, tag = "app-test") =>
  `an administrator gives it the tag muster:use=${tag} (read every hour); or run it without: --resources.${key} null`;

test.each<[string, Choice, string, string]>([
  [
    "a subnet that nobody gave free",
    { subnet: "subnet-9" },
    "there is no subnet 'subnet-9' that this deployment may use; it may use: subnet-e (us-east-1e), subnet-d (us-east-1d)",
    leaveOut("subnet"),
  ],
  [
    "a security group that nobody gave free",
    { securityGroups: ["sg-here", "sg-9"] },
    "there is no security group 'sg-9' that this deployment may use; it may use: sg-own, sg-here",
    leaveOut("security_groups"),
  ],
  [
    "a subnet of one VPC and a security group of another",
    { subnet: "subnet-e", securityGroups: ["sg-here"] },
    `security group sg-here is of ${vpc}, and subnet subnet-e is in vpc-own`,
    `name security groups of vpc-own, or a subnet of ${vpc}`,
  ],
  [
    "a security group of another VPC than the deployment's",
    { securityGroups: ["sg-own"] },
    `security group sg-own is of vpc-own, and this deployment is in ${vpc}`,
    `name security groups of ${vpc}, or a subnet of vpc-own`,
  ],
  [
    "a subnet of another VPC without a security group",
    { subnet: "subnet-e" },
    "subnet subnet-e is in vpc-own, where this deployment has no security group",
    "name some of yours beside it: --resources.security_groups '[\"sg-…\"]'",
  ],
  [
    "a zone where the subnet is not",
    { subnet: "subnet-d", zone: "us-east-1a" },
    "subnet subnet-d is in us-east-1d, not in us-east-1a",
    "run it there with: --resources.zone null",
  ],
  [
    "a machine that is not offered where the subnet is",
    { subnet: "subnet-e", securityGroups: ["sg-own"], instanceType: "p4de.24xlarge" },
    "p4de.24xlarge is not to be had in us-east-1e, where subnet-e is, but in: us-east-1b, us-east-1c",
    "name a subnet there, or run it in this deployment's own with: --resources.subnet null",
  ],
])("%s is refused", (_what, resources, reason, hint) => {
  expect(of(resources)).toEqual({ offers: [], reason, hint });
});

test("where nothing was given free, that is said", () => {
  expect(offers(catalog, { subnet: "subnet-9" })).toEqual({
    offers: [],
    reason: "there is no subnet 'subnet-9' that this deployment may use; it may use no other than its own",
    hint: leaveOut("subnet", "<name of the deployment>"),
  });
});

test("of many that were given free, some are named", () => {
  const securityGroups = Array.from({ length: 7 }, (_, index) => ({ id: `sg-${index}`, vpc }));
  expect(of({ securityGroups: ["sg-x"] }, { ...catalog, own: { ...own, securityGroups } }).reason).toMatch(
    /it may use: sg-0, sg-1, sg-2, sg-3 and 3 more$/,
  );
});
