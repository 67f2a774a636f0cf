/** What is kept: the table, the bucket, what hosts fetch. */
import { INDEXES } from "@muster/core/ports/table.ts";
import { at, type Law, list, same, statements, unless } from "../harness/view.ts";

const tableIsWhatTheAdapterExpects: Law = view => {
  const { inputs } = view.one("dynamodb/table:Table");
  const indexes = INDEXES.map(name => ({ name, hashKey: `${name}_pk`, rangeKey: `${name}_sk`, projectionType: "ALL" }));
  const found = list(inputs.globalSecondaryIndexes as readonly Record<string, string>[]).map(
    ({ name, hashKey, rangeKey, projectionType }) => ({ name, hashKey, rangeKey, projectionType }),
  );
  return [
    ...same([inputs.hashKey, inputs.rangeKey], ["pk", "sk"], "the table's key"),
    ...same(found, indexes, "the table's indexes"),
    ...same(inputs.ttl, { attributeName: "expiresAt", enabled: true }, "the table's TTL"),
    ...same([inputs.streamEnabled, inputs.streamViewType], [true, "NEW_AND_OLD_IMAGES"], "the table's stream"),
    ...same(inputs.billingMode, "PAY_PER_REQUEST", "the table's billing"),
  ];
};

const nothingIsLostByAccident: Law = view => {
  const table = view.one("dynamodb/table:Table");
  const bucket = view.one("s3/bucket:Bucket");
  const { removal, protect } = view.graph.app;
  const kept = [
    table.inputs.deletionProtectionEnabled === true,
    table.retained,
    bucket.retained,
    bucket.inputs.forceDestroy === false,
    protect === true,
    removal === "retain",
    view.resources.some(({ name, protected: held }) => name === "DeploymentKey" && held),
  ];
  return [
    ...same(at(table.inputs, "pointInTimeRecovery.enabled"), true, "point-in-time recovery"),
    ...(view.production
      ? same(
          kept,
          kept.map(() => true),
          "what holds production's data",
        )
      : []),
  ];
};

const bucketIsClosed: Law = view => {
  const bucket = view.one("s3/bucket:Bucket").id;
  const block = view.one("s3/bucketPublicAccessBlock:BucketPublicAccessBlock").inputs;
  const policy = statements(view.one("s3/bucketPolicy:BucketPolicy").inputs.policy);
  const tls = {
    Effect: "Deny",
    Action: ["s3:*"],
    Resource: [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/*`],
    Principal: "*",
    Condition: { Bool: { "aws:SecureTransport": ["false"] } },
  };
  const names = ["blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"];
  return [
    ...same(
      names.map(name => block[name]),
      names.map(() => true),
      "the bucket's public access block",
    ),
    ...same(policy, [tls], "the bucket's policy"),
    ...same(view.of("s3/bucketVersioning:BucketVersioning").length, 0, "versioning of the bucket"),
  ];
};

const bucketForgets: Law = view => {
  const rules = view.one("s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration").inputs
    .rules as readonly Record<string, unknown>[];
  const days = Object.fromEntries(rules.map(rule => [String(at(rule, "filter.prefix")), at(rule, "expiration.days")]));
  const parts = rules.find(rule => rule.abortIncompleteMultipartUpload !== undefined);
  return [
    ...same(days["logs/"], view.given.logDays ?? 90, "how many days logs are kept"),
    ...same(days["outputs/"], view.given.logDays ?? 90, "how many days outputs are kept"),
    ...unless(Number(days["uploads/"]) >= 30, "uploads are forgotten too soon, or never"),
    // Agents send again what is a month old.
    ...unless(Number(days["checkpoints/"]) >= 60, "checkpoints are forgotten too soon, or never"),
    ...same(
      at(parts, "abortIncompleteMultipartUpload.daysAfterInitiation"),
      1,
      "how many days parts of an upload are kept",
    ),
    ...unless(
      rules.every(({ status }) => status === "Enabled"),
      "a rule of the bucket is off",
    ),
    // The catalog and what hosts fetch are needed for as long as they are there.
    ...same(
      Object.keys(days).filter(prefix => /^(runtime|catalog)/.test(prefix)),
      [],
      "what must not be forgotten",
    ),
  ];
};

const pagesThatMayUploadAreNamed: Law = view => {
  const rules = view
    .of("s3/bucketCorsConfiguration:BucketCorsConfiguration")
    .flatMap(({ inputs }) => inputs.corsRules as readonly unknown[]);
  return same(
    rules.flatMap(rule => at(rule, "allowedOrigins") as readonly string[]),
    view.given.origins ?? [],
    "whose pages may upload",
  );
};

const queuesAreClosed: Law = view =>
  view.of("sqs/queue:Queue").flatMap(queue => {
    const { inputs } = queue;
    const policy = view.of("sqs/queuePolicy:QueuePolicy").find(one => one.inputs.queueUrl === queue.id);
    const said = policy === undefined ? [] : statements(policy.inputs.policy);
    const denied = said.find(({ Effect }) => Effect === "Deny");
    return [
      ...unless(
        inputs.sqsManagedSseEnabled === true || inputs.kmsMasterKeyId !== undefined,
        `${queue.name} is not encrypted`,
      ),
      ...same(denied?.Condition, { Bool: { "aws:SecureTransport": "false" } }, `what ${queue.name} refuses`),
      ...said
        .filter(({ Effect }) => Effect === "Allow")
        .flatMap(({ Condition }) =>
          unless(Condition?.ArnEquals?.["aws:SourceArn"] !== undefined, `${queue.name} takes messages from anybody`),
        ),
    ];
  });

/** What hosts fetch lies under its hash, and stays when the next deployment brings another. */
const runtimeStays: Law = view => {
  const bucket = view.one("s3/bucket:Bucket").id;
  const objects = view.of("s3/bucketObjectv2:BucketObjectv2").filter(({ inputs }) => inputs.bucket === bucket);
  return [
    ...same(objects.length, 3, "the number of files for hosts"),
    ...objects.flatMap(({ name, inputs, retained }) => [
      ...unless(/^runtime\/[0-9a-f]{64}$/.test(String(inputs.key)), `${name} lies at ${inputs.key}`),
      ...same(
        String(at(inputs, "source.$file")).split("/").at(-1),
        String(inputs.key).split("/").at(-1),
        `the file of ${name}`,
      ),
      ...unless(retained, `${name} goes with the next deployment`),
    ]),
  ];
};

/** No address range is let in anywhere, and no function stands in a network. */
const nobodyComesIn: Law = view =>
  view.resources.flatMap(({ name, type, inputs }) =>
    unless(
      !/"(0\.0\.0\.0|::)\/\d+"|"cidr\w*":|"ingress":/i.test(JSON.stringify(inputs)) && !/ec2\/securityGroup/.test(type),
      `${name} opens a network`,
    ),
  );

export const data = {
  tableIsWhatTheAdapterExpects,
  nothingIsLostByAccident,
  bucketIsClosed,
  bucketForgets,
  pagesThatMayUploadAreNamed,
  queuesAreClosed,
  runtimeStays,
  nobodyComesIn,
} as const;
