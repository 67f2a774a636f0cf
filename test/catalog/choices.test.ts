/** Choices that differ in little, and what to do where none will do. Pure; against the catalog of support.ts. */

import { offers } from "@muster/aws/ec2/offers/offers.ts";
import { offersOf } from "@muster/core/provider/offers.ts";
import type { Choice, Resources } from "@muster/core/task/resources.ts";
import { describe, expect, test } from "vitest";
import { catalog } from "./support.ts";

const subnets = ["subnet-o", "subnet-p"].map(id => ({
  ...{ id, vpc: catalog.network!.vpc, zone: "us-east-1a" },
  ...{ public: false, assigns: false, egress: true },
}));
const from = { ...catalog, own: { deployment: "app-test", subnets, securityGroups: [] } };
const aws = { name: "aws", offers: async (asked: Choice, nodes: number) => offers(from, asked, nodes) };

describe("the same machines", () => {
  const TYPE = { instanceType: "p4d.24xlarge", zone: "us-east-1a" };
  const turns = async (...ordered: Choice[]) =>
    (await offersOf(aws, { ...TYPE, ordered }, 1)).offers.map(({ choice, pool }) => [choice, pool]);

  test.each<[string, Choice]>([
    ["a reservation", { reservation: "cr-1" }],
    ["hardware of one's own", { tenancy: "dedicated" }],
    ["a placement group", { placementGroup: true }],
    ["a subnet", { subnet: "subnet-o" }],
  ])("are asked for of everybody's where %s has none", async (_what, first) => {
    expect(await turns(first, {})).toEqual([
      [0, expect.any(String)],
      [1, undefined],
    ]);
  });

  test("are two of two reservations, and of two subnets", async () => {
    expect(await turns({ reservation: "cr-1" }, { reservation: "cr-2" })).toHaveLength(2);
    expect(await turns({ subnet: "subnet-o" }, { subnet: "subnet-p" })).toHaveLength(2);
  });

  test("are asked for once where they are everybody's", async () => {
    expect(await turns({ diskSize: 9 }, { tenancy: "default", placementGroup: false })).toEqual([[0, undefined]]);
  });
});

describe("where none will do, it is said what to type", () => {
  const hint = async (resources: Resources) => (await offersOf(aws, resources, 1)).hint;

  test("of what the choice says, under the choice", async () => {
    expect(await hint({ anyOf: [{ images: { "eu-west-1": "ami-1" } }] })).toMatch(
      /--resources\.any_of\.0\.image_id null/,
    );
    expect(await hint({ ordered: [{ reservation: "cr-1" }] })).toMatch(/--resources\.ordered\.0\.instance_type TYPE/);
  });

  test.each<[string, Resources]>([
    ["container: a/b", { image: "docker:a/b", anyOf: [{ diskSize: 9 }] }],
    ["--resources.image_id null", { images: { "eu-west-1": "ami-1" }, anyOf: [{ diskSize: 9 }] }],
    ["--resources.instance_type null", { instanceType: "unheard-of", anyOf: [{ diskSize: 9 }] }],
    ["--resources.use_spot false", { spot: true, instanceType: "p5.48xlarge", anyOf: [{ reservation: "cr-1" }] }],
    ["--resources.region us-east-1", { region: "us-west-2", anyOf: [{ diskSize: 9 }] }],
  ])("%s, where it is said beside them all", async (word, resources) => {
    expect(await hint(resources)).toContain(word);
  });
});
