/**
 * What S3 does at its door, which moto does not: it checks the signature, the time and every condition of a POST policy,
 * the announced checksum, and the signature and lifetime of a signed URL. What passes goes on to moto.
 *
 * Ours, from S3's API reference (sigv4-HTTPPOSTConstructPolicy, RESTObjectPOST, sigv4-query-string-auth). It shares no
 * code with what it checks.
 */
import { createHash, createHmac } from "node:crypto";

export interface GateOptions {
  readonly now: () => number;
  readonly bucket: string;
  readonly keys: { readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken?: string };
}

/** Sends the request on, or answers as S3 refuses it. */
export async function throughGate(options: GateOptions, request: Request): Promise<Response> {
  try {
    if (request.method === "POST") return await posted(options, request);
    checkUrl(options, new URL(request.url));
    return await fetch(request);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return new Response(`<Error><Code>${error.code}</Code><Message>${error.message}</Message></Error>`, {
      status: error.status,
    });
  }
}

class Refusal extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

const denied = (message: string) => new Refusal(403, "AccessDenied", message);

async function posted(options: GateOptions, request: Request): Promise<Response> {
  const form = await request.formData();
  const file = form.get("file");
  if (!(file instanceof Blob)) throw new Refusal(400, "InvalidArgument", "POST requires exactly one file upload");
  const fields = new Map<string, string>();
  for (const [name, value] of form) if (typeof value === "string") fields.set(name.toLowerCase(), value);
  checkPolicySignature(options, fields);
  const policy: Policy = JSON.parse(Buffer.from(fields.get("policy") ?? "", "base64").toString());
  if (Date.parse(policy.expiration) <= options.now()) throw denied("Invalid according to Policy: Policy expired.");
  checkPolicy(policy, fields, file.size, options.bucket);
  await checkSum(fields, file);
  return await fetch(request.url, { method: "POST", body: form });
}

/** A POST policy as S3 reads it. */
export interface Policy {
  readonly expiration: string;
  readonly conditions: readonly (
    | readonly [string, string | number, string | number]
    | Readonly<Record<string, string>>
  )[];
}

/** Fields that need no condition. */
const FREE = new Set(["x-amz-signature", "file", "policy"]);

function checkPolicy(policy: Policy, fields: ReadonlyMap<string, string>, size: number, bucket: string): void {
  const values = new Map([...fields, ["bucket", bucket]]);
  const conditions = policy.conditions.map(conditionOf);
  for (const { operator, subject, operand } of conditions) {
    if (operator === "content-length-range") checkSize(size, Number(subject), Number(operand));
    else if (!fits(operator, values.get(subject), String(operand)))
      throw denied(
        `Invalid according to Policy: Policy Condition failed: ["${operator}", "$${subject}", "${operand}"]`,
      );
  }
  const covered = new Set(conditions.map(({ subject }) => subject));
  for (const name of fields.keys())
    if (!covered.has(name) && !FREE.has(name) && !name.startsWith("x-ignore-"))
      throw denied(`Invalid according to Policy: Extra input fields: ${name}`);
}

/** `{name: value}` is short for `["eq", "$name", value]`. */
function conditionOf(condition: Policy["conditions"][number]) {
  const [operator, subject, operand] = Array.isArray(condition)
    ? condition
    : ["eq", ...Object.entries(condition).flatMap(([name, value]) => [`$${name}`, value])];
  return { operator, subject: String(subject).replace(/^\$/, "").toLowerCase(), operand };
}

function fits(operator: unknown, value: string | undefined, operand: string): boolean {
  if (operator === "starts-with") return value?.startsWith(operand) === true;
  return operator === "eq" && value === operand;
}

function checkSize(size: number, least: number, most: number): void {
  if (size < least) throw new Refusal(400, "EntityTooSmall", "Your proposed upload is smaller than the minimum");
  if (size > most) throw new Refusal(400, "EntityTooLarge", "Your proposed upload exceeds the maximum");
}

function checkPolicySignature({ keys }: GateOptions, fields: ReadonlyMap<string, string>): void {
  const [id, ...scope] = (fields.get("x-amz-credential") ?? "").split("/");
  if (id !== keys.accessKeyId) throw new Refusal(403, "InvalidAccessKeyId", "who is this?");
  if (fields.get("x-amz-security-token") !== keys.sessionToken) throw new Refusal(400, "InvalidToken", "what token?");
  if (fields.get("x-amz-algorithm") !== "AWS4-HMAC-SHA256") throw new Refusal(400, "InvalidArgument", "algorithm");
  if (fields.get("x-amz-date")?.slice(0, 8) !== scope[0]) throw denied("date and scope differ");
  const expected = signature(keys.secretAccessKey, scope, fields.get("policy") ?? "");
  if (expected !== fields.get("x-amz-signature")) throw new Refusal(403, "SignatureDoesNotMatch", "signature");
}

async function checkSum(fields: ReadonlyMap<string, string>, file: Blob): Promise<void> {
  const announced = fields.get("x-amz-checksum-sha256");
  if (announced === undefined) return;
  if (fields.get("x-amz-checksum-algorithm") !== "SHA256") throw new Refusal(400, "InvalidRequest", "algorithm");
  const sum = createHash("sha256")
    .update(new Uint8Array(await file.arrayBuffer()))
    .digest("base64");
  if (sum !== announced) throw new Refusal(400, "BadDigest", "The SHA256 you specified did not match");
}

function checkUrl({ keys, now }: GateOptions, url: URL): void {
  const query = url.searchParams;
  const [id, ...scope] = (query.get("X-Amz-Credential") ?? "").split("/");
  if (id !== keys.accessKeyId) throw denied("Anonymous users cannot read this");
  if (query.get("X-Amz-Security-Token") !== (keys.sessionToken ?? null))
    throw new Refusal(400, "InvalidToken", "token");
  const parameters = url.search.slice(1).split("&");
  const canonical = [
    "GET",
    url.pathname,
    parameters
      .filter(parameter => !parameter.startsWith("X-Amz-Signature="))
      .toSorted()
      .join("&"),
    `host:${url.host}`,
    "",
    "host",
    "UNSIGNED-PAYLOAD",
  ].join("\n");
  const time = query.get("X-Amz-Date") ?? "";
  const hashed = createHash("sha256").update(canonical).digest("hex");
  const toSign = ["AWS4-HMAC-SHA256", time, scope.join("/"), hashed].join("\n");
  if (signature(keys.secretAccessKey, scope, toSign) !== query.get("X-Amz-Signature"))
    throw new Refusal(403, "SignatureDoesNotMatch", "signature");
  const lifetime = Number(query.get("X-Amz-Expires"));
  if (!(lifetime >= 1 && lifetime <= 604_800)) throw new Refusal(400, "AuthorizationQueryParametersError", "lifetime");
  const signedAt = Date.parse(time.replace(/^(....)(..)(..T..)(..)(..Z)$/, "$1-$2-$3:$4:$5"));
  if (Number.isNaN(signedAt) || signedAt > now() + 900_000) throw denied("Request is not valid yet");
  if (signedAt + lifetime * 1000 <= now()) throw denied("Request has expired");
}

function signature(secret: string, scope: readonly string[], text: string): string {
  const mac = (key: string | Buffer, data: string) => createHmac("sha256", key).update(data).digest();
  return mac(scope.reduce<string | Buffer>(mac, `AWS4${secret}`), text).toString("hex");
}
