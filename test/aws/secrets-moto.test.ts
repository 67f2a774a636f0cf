/**
 * Ran against: the adapter on moto's Parameter Store, through the edge, which injects the faults.
 *
 * Moto encrypts nothing, knows no tiers, and takes values of any size, also those that hold `{{`; that AWS does is its
 * documentation's word. What the requests say of key, tier, tags and values is looked at as they are sent.
 */
import type { Called } from "@muster/aws/call/aws.ts";
import { Fault, toMusterError } from "@muster/aws/fault.ts";
import { forget } from "@muster/aws/secrets/forget.ts";
import { keep } from "@muster/aws/secrets/keep.ts";
import { list } from "@muster/aws/secrets/list.ts";
import type { Place } from "@muster/aws/secrets/place.ts";
import { read } from "@muster/aws/secrets/read.ts";
import type { Secrets } from "@muster/core/ports/secrets.ts";
import { MOST_BYTES } from "@muster/core/secret/text.ts";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { fresh, listed, ofSize, secretsContract } from "../contract/secrets.ts";
import { type Edge, type Fault as Harm, startEdge } from "./support/edge.ts";
import { type Moto, startMoto } from "./support/moto.ts";
import { awsAt } from "./table-support.ts";

const placeAt = (url: string, more: Partial<Place> = {}, onCall?: (call: Called) => void): Place => ({
  aws: awsAt(url, onCall),
  deployment: "muster-test",
  tags: { "cost-center": "42" },
  ...more,
});
const secretsAt = (place: Place): Secrets => ({
  keep: keep(place),
  read: read(place),
  forget: forget(place),
  list: list(place),
});

secretsContract("Parameter Store (moto)", async () => {
  const moto = await startMoto();
  return { secrets: secretsAt(placeAt(moto.url)), close: () => moto.close() };
});

let moto: Moto;
let edge: Edge;
let secrets: Secrets;
/** Straight to moto: what really stands there. */
let truth: Secrets;

beforeAll(async () => {
  moto = await startMoto();
  truth = secretsAt(placeAt(moto.url));
});
beforeEach(async () => {
  edge = await startEdge({ moto });
  secrets = secretsAt(placeAt(edge.url));
});
afterEach(() => edge.close());
afterAll(() => moto?.close());

const sent = (operation: string): Record<string, unknown>[] =>
  edge.log.filter(call => call.operation === operation).map(call => JSON.parse(call.body));
const isCode = (code: string) => expect.objectContaining({ code });
const all = (on: string, harm: object) => ({ on, times: Number.POSITIVE_INFINITY, ...harm }) as Harm;

describe("what is sent", () => {
  test("an encrypted parameter under the deployment's path, with the deployment's tags", async () => {
    const ref = fresh();
    await secrets.keep(ref, { A: "{{ssm:x}}" });
    expect(sent("PutParameter")).toEqual([
      {
        Name: `/muster/muster-test/acme/${ref.owner}`,
        Type: "SecureString",
        Value: String.raw`{"A":"{\u007bssm:x}}"}`,
        Tier: "Intelligent-Tiering",
        Tags: [
          { Key: "cost-center", Value: "42" },
          { Key: "muster:deployment", Value: "muster-test" },
        ],
      },
    ]);
  });

  test("the deployment's key, where it has one", async () => {
    const kmsKey = "arn:aws:kms:eu-west-1:123456789012:key/1";
    await secretsAt(placeAt(edge.url, { kmsKey })).keep(fresh(), { A: "1" });
    expect(sent("PutParameter")).toEqual([expect.objectContaining({ KeyId: kmsKey })]);
  });

  test("one call to keep, one to read, one to forget; 50 names a page are asked for", async () => {
    const ref = fresh("counted");
    await secrets.keep(ref, ofSize(MOST_BYTES));
    await secrets.read(ref);
    await secrets.forget(ref);
    expect(edge.log.map(call => call.operation)).toEqual(["PutParameter", "GetParameter", "DeleteParameter"]);
    await secrets.list({ before: 0, cursor: undefined });
    expect(sent("DescribeParameters")).toEqual([
      { ParameterFilters: [{ Key: "Path", Option: "Recursive", Values: ["/muster/muster-test"] }], MaxResults: 50 },
    ]);
  });

  test("nothing at all, when the values do not fit", async () => {
    await expect(secrets.keep(fresh(), ofSize(MOST_BYTES + 1))).rejects.toEqual(isCode("invalid_request"));
    expect(edge.log).toEqual([]);
  });

  test("other deployments' secrets, and other parameters, are not listed", async () => {
    const [ours, theirs] = [fresh("apart"), fresh("apart")];
    await truth.keep(ours, { A: "1" });
    for (const deployment of ["muster-test2", "muster", "muster-test/acme"])
      await keep(placeAt(moto.url, { deployment }))(theirs, { A: "1" });
    const found = await listed(secrets, Date.now() + 60_000);
    expect(found).toContainEqual(ours);
    expect(found).not.toContainEqual(theirs);
  });
});

describe.each(["throttle", "reset", "reset-after-apply", "truncate", "duplicate", "http500"] as const)(
  "when the wire fails once (%s)",
  kind => {
    test("secrets are kept, read, listed and forgotten all the same", async () => {
      const ref = fresh("wire");
      const operations = ["PutParameter", "GetParameter", "DescribeParameters", "DeleteParameter"];
      edge.inject(...operations.map((operation): Harm => ({ on: `ssm.${operation}`, kind })));
      await secrets.keep(ref, { A: "1", B: "2" });
      expect(await truth.read(ref)).toEqual({ A: "1", B: "2" });
      expect(await secrets.read(ref)).toEqual({ A: "1", B: "2" });
      expect(await listed(secrets, Date.now() + 60_000)).toContainEqual(ref);
      await secrets.forget(ref);
      expect(await truth.read(ref)).toBeUndefined();
    });

    test("a value is replaced all the same", async () => {
      const ref = fresh("wire");
      await truth.keep(ref, { A: "old" });
      edge.inject({ on: "ssm.PutParameter", kind }, { on: "ssm.PutParameter", kind, skip: 1 });
      await secrets.keep(ref, { A: "new" });
      expect(await truth.read(ref)).toEqual({ A: "new" });
    });
  },
);

describe("when Parameter Store does not have it", () => {
  const verbs: readonly (readonly [string, string, (of: Secrets) => Promise<unknown>])[] = [
    ["keep", "PutParameter", of => of.keep(fresh(), { A: "hunter2" })],
    ["read", "GetParameter", of => of.read(fresh())],
    ["forget", "DeleteParameter", of => of.forget(fresh())],
    ["list", "DescribeParameters", of => of.list({ before: 0 })],
  ];

  test.each(verbs)("%s: AccessDenied is unavailable, and the hint names the permission", async (_, operation, verb) => {
    edge.inject(all(`ssm.${operation}`, { kind: "error", code: "AccessDeniedException" }));
    await expect(verb(secrets)).rejects.toMatchObject({
      code: "unavailable",
      details: { hint: expect.stringContaining(`ssm:${operation}`) },
    });
    expect(edge.log).toHaveLength(1);
  });

  test.each(verbs)("%s: a key that is off is unavailable", async (_, operation, verb) => {
    edge.inject(all(`ssm.${operation}`, { kind: "error", code: "InvalidKeyId", message: "the key is disabled" }));
    await expect(verb(secrets)).rejects.toEqual(isCode("unavailable"));
  });

  test.each(verbs)("%s: throttling without end is busy, after some tries", async (_, operation, verb) => {
    edge.inject(all(`ssm.${operation}`, { kind: "throttle" }));
    await expect(verb(secrets)).rejects.toEqual(isCode("busy"));
    expect(edge.log.length).toBeGreaterThan(2);
  });

  test.each(verbs)("%s: answers that are lost without end are unavailable", async (_, operation, verb) => {
    edge.inject(all(`ssm.${operation}`, { kind: "reset" }));
    await expect(verb(secrets)).rejects.toEqual(isCode("unavailable"));
  });
});

test("what AWS says is not passed on when it quotes a secret", async () => {
  const said = "1 validation error detected: Value 'hunter2' at 'value' failed to satisfy constraint";
  edge.inject({ on: "ssm.PutParameter", kind: "error", code: "ValidationException", message: said });
  const error = (await secrets.keep(fresh(), { A: "hunter2" }).catch((thrown: unknown) => thrown)) as Error;
  const whole = [error, error.cause].map(one => `${one} ${(one as Error).stack} ${JSON.stringify(one)}`).join("\n");
  expect(error).toMatchObject({ code: "unavailable", message: expect.stringContaining("PutParameter") });
  expect(whole).not.toContain("hunter2");
  // It would be there, were it not held back.
  const facts = { operation: "PutParameter", code: "ValidationException", status: 400, kind: "refused" } as const;
  expect(String(toMusterError(new Fault({ ...facts, message: said })))).toContain("hunter2");
});
