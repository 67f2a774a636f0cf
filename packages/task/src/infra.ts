/** Where it runs: `infra`, and the keys `provider` and `cloud`. */
import { distance, nearest } from "@muster/core/near.ts";
import type { Draft } from "./draft.ts";
import { claim, type Field, type Place, type Reading, refuse, text } from "./reading.ts";

type ReadField = Extract<Field<Draft>, (...args: never[]) => void>;

/** SkyPilot's, and Muster's own. Any other name may be one of this control plane's targets. */
const KNOWN = [
  ..."local aws azure gcp ibm lambda scp oci kubernetes k8s vsphere cudo runpod paperspace fluidstack".split(" "),
  ..."do nebius hyperbolic vast ssh seeweb slurm primeintellect shadeform mithril yotta verda".split(" "),
];

const ALIASES: ReadonlyMap<string, string> = new Map([["k8s", "kubernetes"]]);

/** The provider's name, for a cloud's. */
const cloudOf = (name: string): string => ALIASES.get(name.toLowerCase()) ?? name.toLowerCase();

/** A name that nobody would give a target, being that of a cloud with a slip in it. */
function slip(reading: Reading, name: string): string | undefined {
  const given = name.toLowerCase();
  if (reading.dialect !== "skypilot" || given.length < 3 || KNOWN.includes(given)) return undefined;
  // `aws2`, `gcp-lab`: named after a cloud, and not for want of care.
  if (KNOWN.some(known => given.startsWith(known))) return undefined;
  const near = nearest(given, KNOWN);
  // Names of clouds are short, and so may be those of targets: less is taken for a slip than elsewhere.
  const isClose = near !== undefined && near.length >= 3 && distance(near, given) <= (near.length >= 6 ? 2 : 1);
  return isClose ? near : undefined;
}

function take(reading: Reading, name: string, at: Place, out: Draft): void {
  const meant = slip(reading, name);
  if (meant !== undefined) refuse(reading, at, `names no cloud: '${name}'`, `did you mean '${meant}'?`);
  out.task.resources.provider = cloudOf(name);
}

/** `provider` and `cloud`. */
export const provider: ReadField = (reading, value, at, out) => {
  const read = text(reading, value, at)?.trim();
  if (read === undefined || !claim(reading, "resources.provider", at)) return;
  if (read === "") refuse(reading, at, "is empty", "leave the key out");
  else take(reading, read, at, out);
};

/** `cloud[/region[/zone]]`; `*` stands for any, and what follows `k8s/` is one name, slashes and all. */
export const infra: ReadField = (reading, value, at, out) => {
  const read = text(reading, value, at);
  if (read === undefined) return;
  const parts = split(read.trim());
  if (parts.length > 3 || parts.some(part => part === "")) {
    refuse(reading, at, `must be cloud, cloud/region or cloud/region/zone, and is "${read}"`);
    return;
  }
  const fields = ["provider", "region", "zone"] as const;
  fields.forEach((field, index) => {
    const part = parts[index];
    if (part === undefined || !claim(reading, `resources.${field}`, at) || part === "*") return;
    if (field === "provider") take(reading, part, at, out);
    else out.task.resources[field] = part;
  });
};

/** The parts of an `infra` text. */
export function split(infra: string): string[] {
  const context = /^(k8s|kubernetes)\/(.+)$/i.exec(infra);
  return context === null ? infra.split("/") : context.slice(1, 3);
}
