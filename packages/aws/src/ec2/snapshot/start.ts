/** From which image a host's machine starts, and whether it can. */
import { MusterError } from "@muster/core/error.ts";
import type { Intent } from "@muster/core/ports/provider.ts";
import type { MachineType } from "../../catalog/catalog.ts";
import { type NamedImage, namedOf } from "../image.ts";
import type { FoundImage } from "./find.ts";

const ARCHITECTURES = new Set(["x86_64", "arm64"]);

/**
 * The image, with its disks. There is no other that would do in its place.
 * @throws MusterError `unavailable` when it does not show, or is not complete yet; `no_capacity` for a machine type that
 * cannot run what is on the disks; `launch_failed` when nothing will ever start from it.
 */
export function startFrom(found: FoundImage | undefined, type: MachineType, { hosts, move }: Intent): NamedImage {
  const host = hosts[0]?.hostId;
  if (found === undefined)
    throw new MusterError("unavailable", `the snapshot of ${host} for move ${move} does not show`);
  if (found.state === "pending") throw new MusterError("unavailable", `the snapshot of ${host} is not complete yet`);
  const { Architecture: arch } = found.image;
  if (arch !== undefined && ARCHITECTURES.has(arch) && arch !== type.arch)
    throw new MusterError("no_capacity", `${type.name} is ${type.arch}, and what is on the disks is for ${arch}`);
  const named = namedOf(found.image);
  if (found.state === "complete" && named !== undefined) return named;
  throw new MusterError("launch_failed", `no machine can start from the snapshot of ${host} (${found.id})`, {
    hint: `its image is '${found.image.State}': ${found.image.StateReason?.Message ?? "EC2 does not say why"}`,
  });
}
