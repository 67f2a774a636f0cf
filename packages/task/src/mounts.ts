/** Files and folders that are put on the host: `file_mounts`. */

import { entriesOf } from "./check.ts";
import type { Draft } from "./draft.ts";
import { filled, isUrl, takePlace } from "./paths.ts";
import { type Field, mapping, type Place, type Reading, refuse, text } from "./reading.ts";
import { putBucket, storage } from "./storage.ts";
import type { Node } from "./yaml/tree.ts";

type ReadField = Extract<Field<Draft>, (...args: never[]) => void>;

/** Path on the host to a local file or folder, a bucket's URL, or SkyPilot's map of a bucket. */
export const fileMounts: ReadField = (reading, node, at, out) => {
  const map = mapping(reading, node, at);
  if (map === undefined) return;
  for (const [key, value, place] of entriesOf(map, at)) {
    const path = filled(reading, key, place, out);
    if (path !== undefined) mount(reading, path, value, place, out);
  }
};

function mount(reading: Reading, path: string, value: Node, at: Place, out: Draft): undefined {
  takePlace(reading, path, at);
  if (value.kind === "map" && reading.dialect !== "oumi") return void storage(reading, value, path, at, out);
  const read = text(reading, value, at);
  if (read === undefined) return;
  const source = filled(reading, read, at, out);
  if (source === undefined) return;
  if (isUrl(source)) putBucket(reading, { path, source, mode: "copy" }, at, out);
  else if (source.trim() === "") refuse(reading, at, "names no local file");
  else out.fileMounts.push({ path, source });
}
