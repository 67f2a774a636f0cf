/** The image that a machine boots, or one for each region. */
import { entriesOf } from "./check.ts";
import { imageOfContainer } from "./container.ts";
import type { Draft } from "./draft.ts";
import { claim, type Field, mapping, type Place, type Reading, refuse, text } from "./reading.ts";
import type { Mapping, Node } from "./yaml/tree.ts";

type ReadField = Extract<Field<Draft>, (...args: never[]) => void>;

/** Where machines' images are by region, the image of a container that machines of whichever region start. */
const CONTAINER = "docker";
/**
 * What looks like a container's image: `docker:…`; `nvcr.io/nvidia/pytorch:24.01` and `localhost:5000/mine`, whose first
 * part is a registry's host; `owner/name`; or any path with a tag or digest.
 */
const CONTAINERS = [
  /^docker:/i,
  /^(?:[a-z0-9-]+(?:\.[a-z0-9-]+)+(?::\d+)?|localhost:\d+)\//i,
  /^[a-z0-9][\w.-]*\/[a-z0-9][\w.-]*$/,
  /^[a-z0-9][\w.-]*(?:\/[a-z0-9][\w.-]*)+[:@][\w.:-]+$/,
];

/** An image as text; undefined when it cannot be used. SkyPilot's own stand for whatever the provider starts from. */
function usable(reading: Reading, value: Node, at: Place, out: Draft): string | undefined {
  const read = text(reading, value, at)?.trim();
  if (read === undefined) return undefined;
  if (read === "") return refuse(reading, at, "is empty", "leave the key out");
  if (CONTAINERS.some(form => form.test(read))) return imageOfContainer(reading, read, at, out);
  if (!/^skypilot:/i.test(read)) return read;
  const line = at.line === undefined ? "" : ` (line ${at.line})`;
  reading.warnings.push(
    `${at.path}${line}: ${read} is an image of SkyPilot's; Muster takes its own default in its place`,
  );
  return read.replace(/^skypilot:/i, "skypilot:");
}

/** Text, or in Muster's form and SkyPilot's a map of region to image. */
export const image: ReadField = (reading, value, at, out) => {
  if (value.kind === "map" && reading.dialect !== "oumi") return byRegion(reading, value, at, out);
  if (!claim(reading, "resources.image", at)) return;
  const read = usable(reading, value, at, out);
  if (read !== undefined) out.task.resources.image = read;
};

/** Oumi's `image_id_map`: an image of its own wins over the map, there as here. */
export const imageMap: ReadField = (reading, value, at, out) => {
  const map = mapping(reading, value, at);
  if (map !== undefined && !reading.origins.has("resources.image")) byRegion(reading, map, at, out);
};

function namedContainer(reading: Reading, value: Node, at: Place, out: Draft): undefined {
  const read = text(reading, value, at)?.trim();
  if (read !== undefined) imageOfContainer(reading, read, at, out);
}

function byRegion(reading: Reading, map: Mapping, at: Place, out: Draft): undefined {
  if (!claim(reading, "resources.image", at)) return;
  reading.origins.set("resources.images", at);
  if (map.entries.size === 0) return refuse(reading, at, "names no image", "leave the key out");
  const images = entriesOf(map, at).flatMap(([region, value, place]): [string, string][] => {
    const isContainer = region.toLowerCase() === CONTAINER;
    const read = isContainer ? namedContainer(reading, value, place, out) : usable(reading, value, place, out);
    reading.origins.set(`resources.images.${region}`, place);
    return read === undefined ? [] : [[region, read]];
  });
  if (images.length > 0) out.task.resources.images = Object.fromEntries(images);
}
