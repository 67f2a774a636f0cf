/** As much of AWS as SST's command line asks for by itself: parameters in SSM, and its state in S3. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";

export interface Aws {
  readonly url: string;
  close(): void;
}

/** What `sst` leaves in a region when it comes there first; a version far ahead, so that there is nothing to bring up to date. */
const BOOTSTRAP = {
  version: 99,
  asset: "sst-asset-test",
  state: "sst-state-test",
  assetEcrRegistryId: "123456789012",
  assetEcrUrl: "none",
  appsyncHttp: "none",
  appsyncRealtime: "none",
};

export async function aws(): Promise<Aws> {
  const parameters = new Map([["/sst/bootstrap", JSON.stringify(BOOTSTRAP)]]);
  const objects = new Map<string, Buffer>();
  const server = createServer(async (request, response) => {
    const body = await buffer(request);
    const target = String(request.headers["x-amz-target"] ?? "");
    if (target.startsWith("AmazonSSM.")) ssm(parameters, target.slice("AmazonSSM.".length), body, response);
    else s3(objects, request, body, response);
  });
  await new Promise<void>(resolve => {
    server.listen(0, "127.0.0.1", resolve);
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => server.close() };
}

function ssm(parameters: Map<string, string>, operation: string, body: Buffer, response: ServerResponse): void {
  const { Name, Value } = JSON.parse(body.toString()) as { Name: string; Value: string };
  response.setHeader("content-type", "application/x-amz-json-1.1");
  if (operation === "PutParameter") parameters.set(Name, Value);
  const found = parameters.get(Name);
  response.statusCode = found === undefined ? 400 : 200;
  response.end(
    JSON.stringify(
      found === undefined
        ? { __type: "ParameterNotFound" }
        : { Parameter: { Name, Value: found, Type: "String", Version: 1 }, Version: 1 },
    ),
  );
}

function s3(
  objects: Map<string, Buffer>,
  { method, url = "" }: IncomingMessage,
  body: Buffer,
  response: ServerResponse,
): void {
  const key = url.split("?")[0] ?? "";
  if (method === "PUT") objects.set(key, body);
  if (method === "DELETE") objects.delete(key);
  if (method !== "GET" && method !== "HEAD") {
    response.setHeader("etag", '"0"');
    response.end();
    return;
  }
  const found = objects.get(key);
  response.statusCode = found === undefined ? 404 : 200;
  response.setHeader("content-type", "application/xml");
  response.end(found ?? (method === "GET" ? "<Error><Code>NoSuchKey</Code></Error>" : undefined));
}
