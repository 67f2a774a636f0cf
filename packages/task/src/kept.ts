/** What outlives a task's tries: the folders and files that it leaves, and the one that it goes on from. */
import { Place as HostPlace } from "@muster/core/task/inputs.ts";
import { itemsOf } from "./check.ts";
import type { Draft } from "./draft.ts";
import * as Elsewhere from "./elsewhere.ts";
import { messageOf } from "./hold.ts";
import { filled, isUrl } from "./paths.ts";
import { claim, type Field, type Place, type Reading, refuse, text } from "./reading.ts";
import type { Node } from "./yaml/tree.ts";

type ReadField = Extract<Field<Draft>, (...args: never[]) => void>;

/** `outputs`: places on the host, one or a list. As a map it is SkyPilot's, and says something else. */
export const outputs: ReadField = (reading, value, at, out) => {
  if (value.kind === "map") return Elsewhere.outputs(reading, value, at, out);
  if (!claim(reading, "outputs", at)) return;
  const items: [Node, Place][] = value.kind === "list" ? itemsOf(value.items, at) : [[value, at]];
  const places = items.flatMap(([item, place]) => placeOf(reading, item, place, out) ?? []);
  // What is wrong with all of them was told.
  if (places.length > 0 || items.length === 0) out.task.outputs = [...new Set(places)];
};

/** `checkpoint`: a folder on the host. */
export const checkpoint: ReadField = (reading, value, at, out) => {
  const place = placeOf(reading, value, at, out);
  if (place === undefined || !claim(reading, "checkpoint", at)) return;
  if (/^(?:~|\.|\/)\/*$/.test(place)) refuse(reading, at, "must be a folder of its own", "such as ~/checkpoint");
  else if (/[*?[]/.test(place)) refuse(reading, at, "must be one folder, and is a pattern");
  else out.task.checkpoint = place;
};

function placeOf(reading: Reading, node: Node, at: Place, out: Draft): string | undefined {
  const said = text(reading, node, at);
  const place = said === undefined ? undefined : filled(reading, said, at, out);
  if (place === undefined) return undefined;
  if (place.trim() === "") return refuse(reading, at, "names no place", "write a folder or file, such as results");
  if (isUrl(place)) return refuse(reading, at, "must be a path on the host, and is a URL");
  const issue = HostPlace.safeParse(place).error?.issues[0];
  return issue === undefined ? place : refuse(reading, at, messageOf(issue));
}
