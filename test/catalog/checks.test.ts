/** What `muster doctor` is told of a catalog. Pure; against the catalog of support.ts. */

import type { Catalog } from "@muster/aws/catalog/catalog.ts";
import { checks } from "@muster/aws/catalog/checks.ts";
import { expect, test } from "vitest";
import { catalog, withQuota } from "./support.ts";

const NOW = catalog.refreshedAt + 600_000;
const failed = (from: Catalog, now = NOW) => checks(from, now).filter(check => !check.ok);

test("a good catalog has nothing that fails", () => {
  expect(failed(catalog)).toEqual([]);
  expect(checks(catalog, NOW).map(check => check.name)).toEqual([
    "catalog",
    "machine types",
    "network",
    "way out",
    "quota of standard machines",
    "quota of G machines",
    "quota of P machines",
    "images",
    "prices",
    "spot prices",
  ]);
});

test("an old catalog says how old it is", () => {
  expect(failed(catalog, NOW + 3 * 3_600_000)).toEqual([
    expect.objectContaining({ name: "catalog", message: "the catalog of us-east-1 is 190 minutes old" }),
  ]);
});

test("a quota of nothing comes with the place where to ask", () => {
  const [check, ...others] = failed(withQuota("L-417A185B", 0));
  expect(others).toEqual([]);
  expect(check).toMatchObject({ name: "quota of P machines", message: "'Running On-Demand P instances' is 0 vCPUs" });
  expect(check?.fix).toContain("ask AWS for 16 or more: https://us-east-1.console.aws.amazon.com/");
});

test("a part that could not be renewed fails with what to do, even while the old one serves", () => {
  const fix = "allow pricing:GetProducts to the role of the function cron";
  const problem = { part: "prices", message: "prices on demand could not be read: AccessDenied", fix } as const;
  expect(failed({ ...catalog, problems: [problem] })).toEqual([
    { name: "prices", ok: false, message: expect.stringContaining("AccessDenied"), fix },
  ]);
});

test("a network without a way out, without subnets, and none at all", () => {
  const closed = { id: "subnet-1", zone: "us-east-1a", public: false, assigns: false, egress: false };
  const names = (network: Catalog["network"]) => {
    const { network: _, ...rest } = catalog;
    return failed(network === undefined ? rest : { ...rest, network }).map(check => check.name);
  };
  expect(names({ vpc: "vpc-1", subnets: [closed] })).toEqual(["way out"]);
  expect(names({ vpc: "vpc-1", subnets: [] })).toEqual(["network", "way out"]);
  expect(names(undefined)).toEqual(["network", "way out"]);
});

test("an empty catalog fails in everything", () => {
  const empty: Catalog = {
    format: 1,
    region: "us-east-1",
    refreshedAt: 0,
    types: [],
    quotas: {},
    images: {},
    problems: [],
  };
  expect(checks(empty, NOW).filter(check => check.ok)).toEqual([]);
});
