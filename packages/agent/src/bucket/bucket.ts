/** A bucket at a place of a job: copied there, or mounted. */
import { messageOf } from "../disk.ts";
import type { Places } from "../inputs/inputs.ts";
import { InputError, placeOf } from "../inputs/place.ts";
import type { Assignment } from "../types.ts";
import { type Access, accessOf, sourceOf } from "./access.ts";
import { copy } from "./copy.ts";
import { Denied, Store, Unreached } from "./store.ts";

type Bucket = Extract<Assignment["mounts"][number], { kind: "bucket" }>;

/** @throws InputError that says what the job's owner can do */
export async function bringBucket(mount: Bucket, places: Places, signal: AbortSignal): Promise<void> {
  const name = `mount ${mount.path}`;
  const place = placeOf(mount.path, places.home, places.workdir);
  const { bucket, prefix } = sourceOf(name, mount.source);
  const access = accessOf(name, places.given);
  const store = new Store(bucket, access, signal);
  try {
    if (mount.mode === "copy")
      return await copy(store, {
        name,
        source: mount.source,
        prefix,
        place,
        owner: places.owner,
        attempt: places.attempt,
      });
    places.mounts.mustBeAble(name);
    const folder = prefix === "" || prefix.endsWith("/") ? prefix : `${prefix}/`;
    // Says what is wrong with the bucket better than the mount would, and finds its region.
    await store.page(folder, undefined, 1);
    const isCached = mount.mode === "mount_cached";
    const what = { name, bucket, prefix: folder, place, isCached, access: { ...access, region: store.region } };
    await places.mounts.mount(what, places, signal);
  } catch (error) {
    signal.throwIfAborted();
    throw error instanceof InputError ? error : new InputError(`${name}: ${explain(error, bucket, access)}`);
  }
}

/** S3's codes for credentials that nobody knows, or no longer. */
const BAD_KEYS = new Set(["InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken"]);

function explain(error: unknown, bucket: string, { credentials, endpoint }: Access): string {
  if (error instanceof Unreached)
    return `the bucket ${bucket} could not be read (${error.message}): ${wayTo(endpoint)}`;
  if (!(error instanceof Denied)) return `the bucket ${bucket} could not be read (${messageOf(error)})`;
  const { status, code, message } = error;
  if (code === "NoSuchBucket" || (status === 404 && code === "")) return `there is no bucket ${bucket} (${message})`;
  const cannot = `the bucket ${bucket} cannot be read`;
  if (BAD_KEYS.has(code))
    return `${cannot} with the AWS_ACCESS_KEY_ID of this job (${message}): give one that is valid`;
  if (code === "InvalidObjectState")
    return `an object of the bucket ${bucket} is archived: restore it first (${message})`;
  if (status !== 403 && status !== 401) return `${cannot} (${message})`;
  return credentials === undefined
    ? `${cannot} without credentials (${message}): give AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY as secrets, or make it public`
    : `${cannot} with the AWS_ACCESS_KEY_ID of this job (${message}): it must be allowed s3:ListBucket and s3:GetObject`;
}

const wayTo = (endpoint: string | undefined): string =>
  endpoint === undefined
    ? "see that the host reaches S3, or set AWS_ENDPOINT_URL_S3"
    : `see that the host reaches ${endpoint}, or set another AWS_ENDPOINT_URL_S3`;
