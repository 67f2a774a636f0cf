/** What was read of one of Runhouse's clusters, as a cluster of Muster's. */
import { MAIN } from "@muster/core/cluster/group.ts";
import type { ClusterDraft } from "../draft.ts";
import { defer, type Place, type Reading } from "../reading.ts";
import { join } from "../yaml/tree.ts";
import type { Kind } from "./keys.ts";
import type { Parts } from "./parts.ts";

/** What Runhouse takes on SageMaker when it is told nothing. */
const USUAL_ML = "ml.m5.large";

/** The cluster but for its name. Kinds that Muster has no provider of are noted as not done yet. */
export function make(kind: Kind, reading: Reading, at: Place, parts: Parts): ClusterDraft {
  const { task } = parts.draft;
  for (const [field, place] of [...reading.origins]) reading.origins.set(`groups.0.${field}`, place);
  if (kind === "byo") {
    defer(
      reading,
      reading.origins.get("hosts") ?? { path: join(at.path, "host") },
      "hosts of your own; name a provider that makes them",
    );
    return group(parts.hosts ?? 1, { provider: "byo" });
  }
  const idle = parts.idle === undefined ? {} : { idle: parts.idle };
  if (kind === "onDemand") return { ...group(task.nodes, task.resources), ...idle };
  defer(reading, { path: join(at.path, "instance_type") }, "clusters on SageMaker; name a machine type of EC2");
  const { instanceType = USUAL_ML } = task.resources;
  return { ...group(task.nodes, { ...task.resources, provider: "sagemaker", instanceType }), ...idle };
}

const group = (nodes: number, resources: ClusterDraft["groups"][number]["resources"]): ClusterDraft => ({
  groups: [{ name: MAIN, nodes, resources, schedulable: true }],
});
