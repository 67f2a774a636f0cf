/** Where a bucket is, and how S3 is asked. */

import { parseXML } from "@aws-sdk/xml-builder";
import type { BlobHead } from "@muster/core/ports/blobs.ts";
import { type Aws, hostOf } from "../call/aws.ts";
import { type Answer, type Protocol, send } from "../call/send.ts";
import { encoded } from "../call/sign.ts";
import { Fault, type Problem, toMusterError } from "../fault.ts";

export interface Bucket {
  readonly aws: Aws;
  readonly name: string;
}

/** Scheme and host, and what the path begins with. */
export function placeOf({ aws, name }: Bucket): { readonly origin: string; readonly base: string } {
  return aws.endpoint === undefined
    ? { origin: `https://${name}.${hostOf("s3", aws.region)}`, base: "" }
    : { origin: aws.endpoint, base: `/${name}` };
}

export const pathOf = (bucket: Bucket, key: string): string =>
  `${placeOf(bucket).base}/${key.split("/").map(encoded).join("/")}`;

interface Ask {
  readonly operation: string;
  readonly method: "GET" | "HEAD" | "PUT" | "DELETE";
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

const ATTEMPTS = 4;
const BASE_MS = 100;
/** For a small request, and beside it for each byte: 1 MB a second is slow. */
const TIMEOUT_MS = 20_000;
const MS_PER_BYTE = 0.001;
/** A blob of unknown size. */
const READ_MS = 120_000;

const BYTES = { "content-type": "application/octet-stream" };

/** All that is asked of S3 here may be asked twice: a second put of the same bytes changes nothing. @throws Fault */
export function ask<T>(bucket: Bucket, asked: Ask, read: (answer: Answer) => T): Promise<T> {
  const { body, query = {} } = asked;
  const timeout = asked.operation === "GetObject" ? READ_MS : TIMEOUT_MS + (body?.length ?? 0) * MS_PER_BYTE;
  const outgoing = {
    ...asked,
    service: "s3",
    origin: placeOf(bucket).origin,
    query,
    headers: body === undefined ? {} : BYTES,
  };
  const protocol: Protocol<T> = { read, problem };
  return send(bucket.aws, outgoing, protocol, { attempts: ATTEMPTS, base: BASE_MS, timeout, repeatable: true });
}

/** In the system's own words. @throws MusterError `busy`, `unavailable`, or `internal` when S3 refuses */
export async function told<T>(asking: Promise<T>): Promise<T> {
  try {
    return await asking;
  } catch (error) {
    throw error instanceof Fault ? toMusterError(error) : error;
  }
}

/** Undefined for a blob that is not there. To HEAD, S3 answers without a body, so without a code. */
export async function present<T>(asking: Promise<T>): Promise<T | undefined> {
  try {
    return await asking;
  } catch (error) {
    if (error instanceof Fault && error.status === 404 && error.code !== "NoSuchBucket") return undefined;
    throw error;
  }
}

function problem({ status, body }: Answer): Problem {
  const parsed = tryParse(body);
  const { Code: code, Message: message } = parsed;
  return { code: textOf(code) || `Http${status}`, message: textOf(message), body: parsed };
}

function tryParse(body: Buffer): Record<string, unknown> {
  try {
    return recordOf(recordOf(parseXML(body.toString())).Error);
  } catch {
    // HEAD has no body, and a balancer answers in HTML: the status has to do.
    return {};
  }
}

/** One page of ListObjectsV2 that was asked for with `encoding-type=url`. @throws Error when it is none */
export function readPage({ body }: Answer): { readonly heads: readonly BlobHead[]; readonly truncated: boolean } {
  const result = recordOf(recordOf(parseXML(body.toString())).ListBucketResult);
  const contents = result.Contents === undefined ? [] : [result.Contents].flat();
  return { heads: contents.map(recordOf).map(headOf), truncated: textOf(result.IsTruncated) === "true" };
}

function headOf(content: Record<string, unknown>): BlobHead {
  const head = {
    // Encoded as a form is: a plus is a space.
    key: decodeURIComponent(textOf(content.Key).replaceAll("+", "%20")),
    size: Number(textOf(content.Size) || Number.NaN),
    writtenAt: Date.parse(textOf(content.LastModified)),
  };
  if (head.key === "" || Number.isNaN(head.size + head.writtenAt)) throw new Error("a blob of the list has no head");
  return head;
}

function recordOf(value: unknown): Record<string, unknown> {
  if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  throw new Error("the answer is not the XML that was expected");
}

const textOf = (value: unknown): string => (typeof value === "string" ? value : "");
