/** The HTTP API: the route table, and the functions that answer it. */
import { entries, functionOf, SERVING, type Serving } from "@muster/api/routes.ts";
import type { Data } from "./data.ts";
import { handler, idOf } from "./functions.ts";
import type { Here } from "./here.ts";
import type { Link } from "./links.ts";

export type Handlers = Readonly<Record<Serving, sst.aws.Function>>;

export const gateway = (at: Here): sst.aws.ApiGatewayV2 =>
  new sst.aws.ApiGatewayV2("Api", {
    // Pages of other origins have no business here; SST would let all of them.
    cors: false,
    accessLog: { retention: at.production ? "3 months" : "1 month" },
    transform: {
      api: { name: at.deployment },
      logGroup: { kmsKeyId: at.options.kmsKey },
      // A thousand hosts with work call some 70 times a second.
      stage: args => {
        args.defaultRouteSettings = { throttlingRateLimit: 500, throttlingBurstLimit: 1000 };
        return undefined;
      },
    },
  });

/**
 * One integration and one permission per function, not per route: a function's resource policy holds 20 kB, which some
 * sixty routes with a permission each would fill.
 */
export function api(at: Here, data: Data, from: sst.aws.ApiGatewayV2, muster: Link): Handlers {
  const handlers = forEach(name => handler(at, data, name, [muster]));
  const targets = forEach(name => integrate(from, name, handlers[name]));
  for (const [id, { method, path, auth }] of entries)
    new aws.apigatewayv2.Route(`Route${idOf(id)}`, {
      apiId: from.nodes.api.id,
      routeKey: `${method} ${path}`,
      target: $interpolate`integrations/${targets[functionOf(id)].id}`,
      authorizationType: auth === "iam" ? "AWS_IAM" : "NONE",
    });
  return handlers;
}

const forEach = <T>(make: (name: Serving) => T) =>
  Object.fromEntries(SERVING.map(name => [name, make(name)])) as Readonly<Record<Serving, T>>;

function integrate(from: sst.aws.ApiGatewayV2, name: Serving, to: sst.aws.Function) {
  const permission = new aws.lambda.Permission(`${idOf(name)}Permission`, {
    action: "lambda:InvokeFunction",
    function: to.name,
    principal: "apigateway.amazonaws.com",
    sourceArn: $interpolate`${from.nodes.api.executionArn}/*`,
  });
  return new aws.apigatewayv2.Integration(
    `${idOf(name)}Integration`,
    {
      apiId: from.nodes.api.id,
      integrationType: "AWS_PROXY",
      integrationUri: to.arn,
      payloadFormatVersion: "2.0",
    },
    { dependsOn: [permission] },
  );
}
