/**
 * API Gateway, as far as it is needed: an HTTP server of ours that makes the events of payload format 2.0, checks the
 * signatures of routes that want AWS credentials with AWS's own signing code, and hands all to the deployed functions.
 */
import type { HttpAnswer, HttpEvent } from "@muster/api/http.ts";
import { entries, functionOf, type Serving } from "@muster/api/routes.ts";
import { type Listening, listen } from "@muster/local/http/listen.ts";
import type { Credentials } from "../../../packages/agent/src/control/sign.ts";
import { refusal } from "../../agent/support/signature.ts";
import type { Deployed } from "./lambda.ts";

/** Whose signatures are good, by access key. */
export interface Principal {
  readonly arn: string;
  readonly credentials: Credentials;
}

export interface Gateway extends Listening {
  readonly principals: Map<string, Principal>;
  /** Every request, as `METHOD /path`, with its status. */
  readonly requests: string[];
}

const ACCOUNT = "123456789012";

const answerOf = (statusCode: number, message: string): HttpAnswer => ({
  statusCode,
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ message }),
});

export async function openGateway(region: string, functions: Readonly<Record<Serving, Deployed>>): Promise<Gateway> {
  const principals = new Map<string, Principal>();
  const requests: string[] = [];
  const place = { url: "" };
  const routes = new Map(entries.map(([id, route]) => [`${route.method} ${route.path}`, { id, route }]));

  async function admit(event: HttpEvent): Promise<HttpEvent | HttpAnswer> {
    const known = [...principals.values()];
    const headers = Object.fromEntries(Object.entries(event.headers).map(([name, value]) => [name, value ?? ""]));
    const { method } = event.requestContext.http;
    const request = { method, url: `${place.url}${event.rawPath}`, headers, body: event.body ?? "" };
    const refused = await refusal(request, {
      credentials: known.map(one => one.credentials),
      region,
      now: Date.now(),
    });
    if (refused !== undefined) return answerOf(403, refused);
    const key = /Credential=([^/]+)\//.exec(headers.authorization ?? "")?.[1] ?? "";
    const userArn = principals.get(key)?.arn ?? "";
    return {
      ...event,
      requestContext: { ...event.requestContext, authorizer: { iam: { userArn, accountId: ACCOUNT } } },
    };
  }

  async function dispatch(event: HttpEvent): Promise<HttpAnswer> {
    const found = routes.get(event.routeKey);
    if (found === undefined) return answerOf(404, "Not Found");
    const admitted = found.route.auth === "iam" ? await admit(event) : event;
    if ("statusCode" in admitted) return admitted;
    try {
      return (await functions[functionOf(found.id)].invoke(admitted)) as HttpAnswer;
    } catch {
      return answerOf(500, "Internal Server Error");
    }
  }

  const server = await listen({
    dispatch: async event => {
      const answer = await dispatch(event);
      requests.push(`${event.requestContext.http.method} ${event.rawPath} ${answer.statusCode}`);
      return answer;
    },
    blobs: async () => new Response("there are no blobs here", { status: 404 }),
  });
  place.url = server.url;
  return { ...server, principals, requests };
}
