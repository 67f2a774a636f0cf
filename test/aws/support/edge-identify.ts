/** Which operation of which service a request on the wire is. */
import type { IncomingHttpHeaders } from "node:http";

export interface Request {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export type Protocol = "json" | "query" | "ec2" | "s3" | "rest";

export interface Call {
  /** As in the credential scope of its signature: `dynamodb`, `ec2`, `s3`, `states`, `ssm`, `lambda`, ... */
  readonly service: string;
  readonly operation: string;
  readonly protocol: Protocol;
}

export function identify(request: Request): Call {
  const url = new URL(request.url, "http://edge");
  const service = serviceOf(request, url);
  const target = request.headers["x-amz-target"];
  if (typeof target === "string") return { service, operation: target.split(".").at(-1) ?? "", protocol: "json" };
  if (service === "s3") return { service, operation: s3Operation(request, url), protocol: "s3" };
  const action = url.searchParams.get("Action") ?? formOf(request).get("Action");
  if (action !== null) return { service, operation: action, protocol: service === "ec2" ? "ec2" : "query" };
  return { service, operation: restOperation(request, url), protocol: "rest" };
}

/** Signed by header or by query. What has neither is for S3: a form's upload, or an open object. */
function serviceOf({ headers }: Request, url: URL): string {
  const scope =
    url.searchParams.get("X-Amz-Credential") ?? /Credential=([^,\s]+)/.exec(headers.authorization ?? "")?.[1];
  return scope?.split("/").at(3) ?? "s3";
}

export function formOf({ headers, body }: Request): URLSearchParams {
  const form = headers["content-type"]?.startsWith("application/x-www-form-urlencoded") ?? false;
  return new URLSearchParams(form ? body.toString() : "");
}

/** Markers in the query, or in the headers (`x-...`), which tell the operations of one method apart. */
const OBJECT: Readonly<Record<string, readonly (readonly [marker: string, operation: string])[]>> = {
  GET: [
    ["uploadId", "ListParts"],
    ["tagging", "GetObjectTagging"],
    ["attributes", "GetObjectAttributes"],
    ["", "GetObject"],
  ],
  HEAD: [["", "HeadObject"]],
  PUT: [
    ["partNumber", "UploadPart"],
    ["tagging", "PutObjectTagging"],
    ["x-amz-copy-source", "CopyObject"],
    ["", "PutObject"],
  ],
  POST: [
    ["uploads", "CreateMultipartUpload"],
    ["uploadId", "CompleteMultipartUpload"],
  ],
  DELETE: [
    ["uploadId", "AbortMultipartUpload"],
    ["", "DeleteObject"],
  ],
};
const BUCKET: typeof OBJECT = {
  GET: [
    ["list-type", "ListObjectsV2"],
    ["uploads", "ListMultipartUploads"],
    ["lifecycle", "GetBucketLifecycleConfiguration"],
    ["", "ListObjects"],
  ],
  HEAD: [["", "HeadBucket"]],
  PUT: [
    ["lifecycle", "PutBucketLifecycleConfiguration"],
    ["", "CreateBucket"],
  ],
  POST: [
    ["delete", "DeleteObjects"],
    ["", "PostObject"],
  ],
  DELETE: [["", "DeleteBucket"]],
};

/** Buckets stand in the path: a loopback address has no subdomains. */
function s3Operation({ method, headers }: Request, { pathname, searchParams }: URL): string {
  if (pathname === "/") return method === "GET" ? "ListBuckets" : `${method} /`;
  const table = /^\/[^/]+\/./.test(pathname) ? OBJECT : BUCKET;
  const bears = (marker: string) => marker === "" || searchParams.has(marker) || headers[marker] !== undefined;
  return table[method]?.find(([marker]) => bears(marker))?.[1] ?? `${method} ${pathname}`;
}

function restOperation({ method }: Request, { pathname }: URL): string {
  if (functionOf(pathname) !== undefined) return "Invoke";
  return /\/operation\/(\w+)$/.exec(pathname)?.[1] ?? `${method} ${pathname}`;
}

/** The name of the function that an invocation's path names, bare of account and version. */
export function functionOf(url: string): string | undefined {
  const name = /\/functions\/([^/]+)\/invocations/.exec(url)?.[1];
  if (name === undefined) return undefined;
  return /^(?:arn:[^:]+:lambda:[^:]*:[^:]*:function:)?([^:]+)/.exec(decodeURIComponent(name))?.[1];
}
