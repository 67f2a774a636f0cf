/** What whoever deploys asked for reaches everything that can take it; what can is read off the provider's own types. */
import { type Law, list, same, unless } from "../harness/view.ts";
import { isGivenFree } from "./roles.ts";
import { kmsArguments, takes } from "./types.ts";

const boundaryBounds: Law = view =>
  view.resources
    .filter(({ custom, type }) => custom && takes(type, "permissionsBoundary"))
    .flatMap(({ name, inputs }) => same(inputs.permissionsBoundary, view.given.boundary, `what bounds ${name}`));

/** What could have the key and has it in another way. */
const KEYLESS: Readonly<Record<string, string>> = {
  "aws:lambda/eventSourceMapping:EventSourceMapping": "a filter holds no data",
  "aws:s3/bucketObjectv2:BucketObjectv2":
    "objects take the key of their bucket; code lies in SST's bucket, under its key",
};

const keyEncrypts: Law = view =>
  view.resources
    .filter(
      ({ custom, type }) => custom && type.startsWith("aws:") && kmsArguments(type).length > 0 && !(type in KEYLESS),
    )
    .flatMap(({ name, type, inputs }) => {
      const given = kmsArguments(type).map(argument => JSON.stringify(inputs[argument] ?? null));
      if (view.given.kmsKey === undefined)
        return unless(!given.some(text => text.includes(":kms:")), `${name} has a key that nobody gave`);
      return unless(
        given.some(text => text.includes(view.given.kmsKey ?? "")),
        `${name} could have the key in ${kmsArguments(type).join()}`,
      );
    });

/** Default tags reach all that the default provider makes; machines, which functions make, are told theirs. */
const tagsAreEverywhere: Law = view => {
  const { tags: given = {} } = view.given;
  const provider = view.graph.app.providers.aws as { readonly defaultTags?: { readonly tags?: object } };
  return [
    ...same(provider.defaultTags?.tags, { ...given, "muster:deployment": view.deployment }, "the default tags"),
    ...view.resources
      .filter(({ custom, type }) => custom && type.startsWith("aws:"))
      .flatMap(({ name, provider: own }) => unless(own === "", `${name} has a provider without the tags`)),
    ...view.functions.flatMap(({ name, build: { links } }) => [
      ...same(links.Muster?.tags, given, `the tags that ${name} gives to what it makes`),
      ...same(links.Muster?.kmsKey, view.given.kmsKey, `the key that ${name} is told`),
    ]),
  ];
};

/** Hosts go where they were sent: functions are told, and IAM holds them to it. */
const networkHoldsHosts: Law = view => {
  const { vpc, subnets } = view.given;
  const network = vpc === undefined ? undefined : { vpc, subnets };
  const places =
    network === undefined ? [view.arn("ec2", "subnet/*")] : (subnets ?? []).map(id => view.arn("ec2", `subnet/${id}`));
  return view.functions
    .filter(({ build }) => "Fleet" in build.links)
    .flatMap(({ name, role, build }) => {
      const launched = view
        .may(role)
        .filter(one => list(one.Action).includes("ec2:RunInstances") && !isGivenFree(one, view.deployment))
        .flatMap(({ Resource }) => list(Resource).filter(arn => arn.includes(":subnet/")));
      return [
        ...same(build.links.Fleet?.network, network, `the network that ${name} is told`),
        ...same(launched, places, `where ${name} may launch`),
      ];
    });
};

/** An account has a thousand by default, and keeps a hundred for what reserves nothing. */
const concurrencyIsAsked: Law = view => {
  const reserved = view.functions.map(({ resource }) => resource.inputs.reservedConcurrentExecutions);
  if (view.given.reserved !== true)
    return same(
      reserved.filter(count => count !== undefined),
      [],
      "reserved concurrency",
    );
  const sum = reserved.reduce<number>((total, count) => total + Number(count), 0);
  return unless(
    sum > 0 && sum <= 500 && reserved.every(count => Number(count) > 0),
    `reserved concurrency is ${reserved.join()}`,
  );
};

export const options = {
  boundaryBounds,
  keyEncrypts,
  tagsAreEverywhere,
  networkHoldsHosts,
  concurrencyIsAsked,
} as const;
