/** Requests that name saved images: what the images are is said beside their names, before offers are looked for. */
import type { Actor } from "../actor/actor.ts";
import * as Group from "../cluster/group.ts";
import type { Failure } from "../cluster/machines.ts";
import { MusterError } from "../error.ts";
import * as Keys from "../keys.ts";
import type { Table } from "../ports/table.ts";
import { load } from "../record.ts";
import type { Choice, Resources, Saved } from "../task/resources.ts";
import * as Image from "./image.ts";
import { nameOf, savedOf } from "./name.ts";

type Part = { readonly table: Table };

/**
 * What was resolved before stays: a cluster that grows has the image that it began with.
 * @throws MusterError `not_found` in the actor's workspace; `conflict` for an image that is not ready; `unsupported` for one
 * of another provider than the request names.
 */
export async function imaged<T extends Group.Request>(world: Part, actor: Actor, request: T): Promise<T> {
  const names = new Set(Group.wanted(request).flatMap(({ resources }) => namesIn(resources)));
  if (names.size === 0) return request;
  const found = await Promise.all([...names].map(async name => [name, await ready(world, actor, name)] as const));
  const known = new Map(found);
  const fill = (resources: Resources): Resources => filled(resources, known);
  return request.groups === undefined
    ? { ...request, resources: fill(request.resources ?? {}) }
    : { ...request, groups: request.groups.map(group => ({ ...group, resources: fill(group.resources) })) };
}

type Machine = Partial<Choice>;

/** A saved image that is named, and not resolved. */
const openIn = (machine: Machine): string | undefined =>
  savedOf(machine) === undefined ? nameOf(machine.image) : undefined;

const namesIn = ({ anyOf, ordered, ...machine }: Resources): string[] =>
  [machine, ...(anyOf ?? []), ...(ordered ?? [])].flatMap(one => openIn(one) ?? []);

function filled({ anyOf, ordered, ...machine }: Resources, known: ReadonlyMap<string, Saved>): Resources {
  const fill = (one: Choice): Choice => {
    const saved = known.get(openIn(one) ?? "");
    if (saved === undefined) return one;
    requireProvider(saved, one.provider ?? machine.provider);
    return { ...one, saved, provider: one.provider ?? saved.provider };
  };
  return {
    ...fill(machine),
    ...(anyOf && { anyOf: anyOf.map(fill) }),
    ...(ordered && { ordered: ordered.map(fill) }),
  };
}

/** @throws MusterError `unsupported` */
function requireProvider({ name, provider }: Saved, wanted: string | undefined): void {
  if (wanted === undefined || wanted === provider) return;
  throw new MusterError("unsupported", `image '${name}' was saved on '${provider}', and is of no use on '${wanted}'`, {
    issues: [{ path: "resources.image_id", message: `is an image of ${provider}'s` }],
    hint: `run it there with: --resources.cloud ${provider}; or without it: --resources.image_id null`,
  });
}

async function ready({ table }: Part, actor: Actor, name: string): Promise<Saved> {
  const image = await Image.find(table, actor.workspace, name);
  if (image.state === "ready" && image.ref !== undefined) return savedBy({ ...image, ref: image.ref });
  const hint =
    image.state === "saving" ? "wait until it is ready: muster image list" : "see what there is: muster image list";
  const message = `image '${image.name}' is ${image.state}${"failure" in image && image.failure ? `: ${image.failure.message}` : ""}`;
  throw new MusterError("conflict", message, { state: image.state, hint });
}

const savedBy = ({ id, name, provider, ref, region, architecture, instanceType, size }: Saved): Saved => ({
  id,
  name,
  provider,
  ref,
  ...(region !== undefined && { region }),
  ...(architecture !== undefined && { architecture }),
  ...(instanceType !== undefined && { instanceType }),
  ...(size !== undefined && { size }),
});

/** Why machines cannot be made of this any more; undefined where its image is there, or it names none that was saved. */
export async function whyGone({ table }: Part, workspace: string, machine: Choice): Promise<Failure | undefined> {
  const saved = savedOf(machine);
  if (saved === undefined) return undefined;
  const image = await load(table, Image.noun, Keys.image(workspace, saved.id));
  if (image?.state === "ready") return undefined;
  return {
    code: "image_removed",
    message: `the image '${saved.name}' that it starts from was removed`,
    hint: "launch it with another image, or without one: --resources.image_id null",
  };
}
