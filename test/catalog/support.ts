/**
 * A catalog of us-east-1 for tests. Shapes, zones and accelerators are AWS's own, as moto 5.2.1 has them recorded; on-demand
 * prices were put in by hand after AWS's public list, and are nobody's promise; spot prices, quotas, subnets and images are
 * made up.
 */
import { readFileSync } from "node:fs";
import { Catalog, type MachineType } from "@muster/aws/catalog/catalog.ts";

export const catalog = Catalog.parse(JSON.parse(readFileSync(new URL("us-east-1.json", import.meta.url), "utf8")));

export const typeOf = (name: string): MachineType => catalog.types.find(type => type.name === name)!;

/** The catalog with one type told otherwise. */
export const withType = (name: string, change: Partial<MachineType>): Catalog => ({
  ...catalog,
  types: catalog.types.map(type => (type.name === name ? { ...type, ...change } : type)),
});

export const withQuota = (code: string, value: number): Catalog => ({
  ...catalog,
  quotas: { ...catalog.quotas, [code]: value },
});
