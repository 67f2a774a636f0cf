/** Pulumi's wire values as plain JSON. */

/** A key that no value of a user has; what it says tells what an object stands for. */
const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";
const ASSET = "c44067f5952c0a294b673a41bacd8c17";
const ARCHIVE = "0def7320c3a5731c473e5ecbe6d01bc7";
const RESOURCE = "5cf8f73096256a8f31e491e813e4eb8e";

export type Values = Record<string, unknown>;

export const isObject = (value: unknown): value is Values =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Secrets become `{ $secret }`, files `{ $file }`, resources `{ $urn }`. */
export function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (!isObject(value)) return value;
  switch (value[SIGNATURE]) {
    case SECRET:
      return { $secret: plain(value.value) };
    case ASSET:
    case ARCHIVE:
      return { $file: value.path ?? value.uri ?? value.text };
    case RESOURCE:
      return { $urn: value.urn };
    default:
      return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
  }
}

/** What stands in a plain value, secrets opened. */
export function open(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(open);
  if (!isObject(value)) return value;
  if ("$secret" in value) return open(value.$secret);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, open(inner)]));
}

export const secret = (value: unknown): Values => ({ [SIGNATURE]: SECRET, value });
