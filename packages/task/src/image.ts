/** The image that a machine boots, or one for each region. */
import { entriesOf } from "./check.ts";
import type { Draft } from "./draft.ts";
import { claim, defer, type Field, mapping, type Place, type Reading, refuse, text } from "./reading.ts";
import type { Mapping, Node } from "./yaml/tree.ts";

type ReadField = Extract<Field<Draft>, (...args: never[]) => void>;

/** `nvcr.io/nvidia/pytorch:24.01`, `localhost:5000/mine`: the first part of a path is a registry's host. */
const REGISTRY = /^(?:[a-z0-9-]+(?:\.[a-z0-9-]+)+(?::\d+)?|localhost:\d+)\//i;

/** An image as text; undefined when Muster's own is to be taken, or none can be. */
function usable(reading: Reading, value: Node, at: Place): string | undefined {
  const read = text(reading, value, at)?.trim();
  if (read === undefined) return undefined;
  if (read === "") return refuse(reading, at, "is empty", "leave the key out");
  if (/^docker:/i.test(read) || REGISTRY.test(read))
    return defer(reading, at, "containers: an image that is no machine's");
  if (!/^skypilot:/i.test(read)) return read;
  const line = at.line === undefined ? "" : ` (line ${at.line})`;
  reading.warnings.push(
    `${at.path}${line}: ${read} is an image of SkyPilot's; Muster takes its own default in its place`,
  );
  return undefined;
}

/** Text, or in Muster's form and SkyPilot's a map of region to image. */
export const image: ReadField = (reading, value, at, out) => {
  if (value.kind === "map" && reading.dialect !== "oumi") return byRegion(reading, value, at, out);
  if (!claim(reading, "resources.image", at)) return;
  const read = usable(reading, value, at);
  if (read !== undefined) out.task.resources.image = read;
};

/** Oumi's `image_id_map`: an image of its own wins over the map, there as here. */
export const imageMap: ReadField = (reading, value, at, out) => {
  const map = mapping(reading, value, at);
  if (map !== undefined && !reading.origins.has("resources.image")) byRegion(reading, map, at, out);
};

function byRegion(reading: Reading, map: Mapping, at: Place, out: Draft): undefined {
  if (!claim(reading, "resources.image", at)) return;
  reading.origins.set("resources.images", at);
  if (map.entries.size === 0) return refuse(reading, at, "names no image", "leave the key out");
  const images = entriesOf(map, at).flatMap(([region, value, place]): [string, string][] => {
    const read = usable(reading, value, place);
    reading.origins.set(`resources.images.${region}`, place);
    return read === undefined ? [] : [[region, read]];
  });
  if (images.length > 0) out.task.resources.images = Object.fromEntries(images);
}
