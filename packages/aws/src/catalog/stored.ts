/** The catalog as a blob: JSON, gzipped, since a thousand types with their zones repeat the same few words. */
import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import type { Blobs } from "@muster/core/ports/blobs.ts";
import * as z from "zod";
import { Catalog, type MachineType } from "./catalog.ts";

const pack = promisify(gzip);
const unpack = promisify(gunzip);

export const keyOf = (region: string): string => `catalog/${region}.json.gz`;

/**
 * The catalog as it is read: of each type no more is looked at than tells it from something else. `write` looked at all of
 * it, and to do so again costs a cold function ten milliseconds.
 */
const Stored = Catalog.extend({ types: z.array(z.custom<MachineType>(isType)) });

function isType(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const { name, cpus, memory, zones } = value as Readonly<Record<string, unknown>>;
  return typeof name === "string" && typeof cpus === "number" && typeof memory === "number" && Array.isArray(zones);
}

export async function write(blobs: Pick<Blobs, "put">, catalog: Catalog): Promise<void> {
  await blobs.put(keyOf(catalog.region), await pack(JSON.stringify(Catalog.parse(catalog))));
}

/**
 * The region's catalog as it was last written; undefined when there is none.
 * @throws Error when the blob is not a catalog of this format
 */
export async function read(blobs: Pick<Blobs, "get">, region: string): Promise<Catalog | undefined> {
  const bytes = await blobs.get(keyOf(region));
  return bytes === undefined ? undefined : Stored.parse(JSON.parse((await unpack(bytes)).toString()));
}
