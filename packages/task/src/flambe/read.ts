/**
 * Flambé's cluster files: a tagged document for each cluster, which one of extensions may precede.
 *
 * The extensions are packages of Python that Flambé installs on every host; they are read, and not done yet.
 */

import { nearest } from "@muster/core/near.ts";
import type { ClusterDraft } from "../draft.ts";
import { defer, mapping, type Reading, refuse, text } from "../reading.ts";
import type { WholeFile } from "../whole-file.ts";
import { strayTags } from "../yaml/tags.ts";
import type { Mapping, Node } from "../yaml/tree.ts";
import { awsCluster } from "./aws.ts";
import { sshCluster } from "./ssh.ts";

const AWS = "!AWSCluster";
const SSH = "!SSHCluster";

/** A first document without a tag is that of the extensions; each of the others is a cluster. */
const read = (documents: readonly Node[], reading: Reading): { readonly clusters: ClusterDraft[] } => {
  const [first, ...others] = documents;
  const hasExtensions = first !== undefined && others.length > 0 && first.tag === undefined;
  if (hasExtensions) extensions(reading, first);
  const runnable = hasExtensions ? others : documents;
  const isOne = runnable.length === 1;
  const skipped = documents.length - runnable.length;
  const read = runnable.map((node, index) =>
    isOne ? clusterOf(reading, node) : part(reading, node, index + 1 + skipped),
  );
  return { clusters: read.filter(cluster => cluster !== undefined) };
};

/** One cluster of several: it has fields of its own, and what is told of it is told with its document. */
function part(reading: Reading, node: Node, number: number): ClusterDraft | undefined {
  const its: Reading = { ...reading, issues: [], warnings: [], unsupported: [], origins: new Map() };
  const cluster = clusterOf(its, node);
  const inside = <P extends { readonly path: string }>(place: P): P => ({
    ...place,
    path: place.path === "" ? `document ${number}` : `document ${number}: ${place.path}`,
  });
  reading.issues.push(...its.issues.map(inside));
  reading.warnings.push(...its.warnings.map(text => `document ${number}: ${text}`));
  reading.unsupported.push(...its.unsupported.map(inside));
  return cluster;
}

/** A tag on a whole document: nobody else's files have one. */
export const flambe: WholeFile = {
  dialect: "flambe",
  found: documents => documents.find(({ tag }) => tag !== undefined)?.tag,
  read,
};

function clusterOf(reading: Reading, node: Node): ClusterDraft | undefined {
  const at = { path: "", line: node.line ?? 1 };
  if (node.tag !== AWS && node.tag !== SSH) return refuse(reading, at, ...unlike(node.tag));
  const map = mapping(reading, node, at);
  if (map === undefined) return undefined;
  const untagged: Mapping = { kind: "map", entries: map.entries, line: map.line };
  const strays = strayTags(untagged);
  reading.issues.push(...strays);
  if (strays.length > 0) return undefined;
  return node.tag === AWS ? awsCluster(reading, untagged) : sshCluster(reading, untagged);
}

/** What a document is that is no cluster, and what to do about it. */
function unlike(tag: string | undefined): [string, string] {
  if (tag === undefined) return ["has no tag, and a Flambé cluster has one", `begin it with ${AWS} or ${SSH}`];
  const meant = nearest(tag, [AWS.toLowerCase(), SSH.toLowerCase()]);
  const known = [AWS, SSH].find(one => one.toLowerCase() === meant);
  if (known !== undefined) return [`${tag} is no cluster of Flambé's`, `did you mean '${known}'?`];
  const what = tag === "!Experiment" ? "is a Flambé experiment" : `is a ${tag} of Flambé's`;
  return [
    `${what}, and Muster reads Flambé's clusters only`,
    "run it with a task of your own: its file in workdir, and `flambe` with its name in run",
  ];
}

function extensions(reading: Reading, node: Node): void {
  const map = mapping(reading, node, { path: "", line: node.line ?? 1 });
  for (const [name, { value, line }] of map?.entries ?? []) {
    const at = { path: name, line };
    if (text(reading, value, at) !== undefined)
      defer(reading, at, "an extension of Flambé's; install it in the setup of your tasks");
  }
}
