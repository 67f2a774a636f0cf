/**
 * How a job reaches its buckets: by its own variables, as AWS's tools name them. The machine's role is never used: a job
 * has what its task gives it, and no more.
 */
import type { Credentials } from "../control/sign.ts";
import { InputError } from "../inputs/place.ts";

export interface Access {
  /** Absent: requests are not signed, which only public buckets answer. */
  readonly credentials: Credentials | undefined;
  /** Where to ask first. */
  readonly region: string;
  /** Of a store other than AWS's own. */
  readonly endpoint: string | undefined;
}

const USUAL_REGION = "us-east-1";

/** @throws InputError when the variables are half there, or make no sense. */
export function accessOf(name: string, env: Readonly<Record<string, string>>): Access {
  return {
    credentials: credentialsOf(name, env),
    region: regionOf(name, env),
    endpoint: endpointOf(name, env.AWS_ENDPOINT_URL_S3 || env.AWS_ENDPOINT_URL),
  };
}

function credentialsOf(name: string, env: Readonly<Record<string, string>>): Credentials | undefined {
  const accessKeyId = env.AWS_ACCESS_KEY_ID?.trim();
  const secretAccessKey = env.AWS_SECRET_ACCESS_KEY?.trim();
  const sessionToken = env.AWS_SESSION_TOKEN?.trim();
  if (!accessKeyId && !secretAccessKey) return undefined;
  if (!accessKeyId || !secretAccessKey)
    throw new InputError(`${name}: give both AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or neither`);
  return { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) };
}

/** What the job says, else where it runs. */
function regionOf(name: string, env: Readonly<Record<string, string>>): string {
  const region = env.AWS_REGION || env.AWS_DEFAULT_REGION || homeOf(env.MUSTER_CLUSTER_INFO) || USUAL_REGION;
  if (!isRegion(region)) throw new InputError(`${name}: AWS_REGION is not the name of a region`);
  return region;
}

/** It becomes part of a host's name. */
export const isRegion = (text: string): boolean => /^[a-z0-9][a-z0-9-]{0,62}$/.test(text);

function homeOf(info: string | undefined): string | undefined {
  try {
    const { cloud, region } = JSON.parse(info ?? "{}") as { cloud?: unknown; region?: unknown };
    return cloud === "aws" && typeof region === "string" && isRegion(region) ? region : undefined;
  } catch {
    return undefined;
  }
}

function endpointOf(name: string, text: string | undefined): string | undefined {
  if (!text) return undefined;
  if (!/^https?:\/\/[^\s?#@]+$/.test(text) || !URL.canParse(text))
    throw new InputError(`${name}: AWS_ENDPOINT_URL must be an address such as https://s3.example.com`);
  return text.replace(/\/+$/, "");
}

/** `s3://bucket/prefix`; the prefix may be empty. @throws InputError */
export function sourceOf(name: string, source: string): { readonly bucket: string; readonly prefix: string } {
  const match = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/s.exec(source);
  if (match === null) throw new InputError(`${name}: ${source} is not a bucket such as s3://name/path`);
  return { bucket: match[1] ?? "", prefix: match[2] ?? "" };
}
