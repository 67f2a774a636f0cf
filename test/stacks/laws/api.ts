/** The HTTP API: the route table, whole and as it stands. */
import { entries, functionOf, SERVING } from "@muster/api/routes.ts";
import { at, type Law, list, same, unless, type View } from "../harness/view.ts";

/** "POST /v1/launches" → the function that answers, and how the gateway checks the caller. */
const answered = (view: View): Readonly<Record<string, readonly string[]>> => {
  const integrations = new Map(
    view.of("apigatewayv2/integration:Integration").map(one => [`integrations/${one.id}`, one.inputs.integrationUri]),
  );
  const names = new Map(view.functions.map(({ arn, name }) => [arn as unknown, name]));
  return Object.fromEntries(
    view
      .of("apigatewayv2/route:Route")
      .map(({ inputs }) => [
        String(inputs.routeKey),
        [names.get(integrations.get(String(inputs.target))) ?? "nobody", String(inputs.authorizationType)],
      ]),
  );
};

const routesAreTheTable: Law = view => {
  const wanted = Object.fromEntries(
    entries.map(([id, { method, path, auth }]) => [
      `${method} ${path}`,
      [functionOf(id), auth === "iam" ? "AWS_IAM" : "NONE"],
    ]),
  );
  const found = answered(view);
  return [...new Set([...Object.keys(wanted), ...Object.keys(found)])].flatMap(key =>
    same(found[key], wanted[key], key),
  );
};

/** API Gateway may call those that answer requests, for this API; nothing else on earth may call any function but by a source that is named. */
const callersAreNamed: Law = view => {
  const api = `${view.arn("execute-api", view.one("apigatewayv2/api:Api").id)}/*`;
  const permissions = view.of("lambda/permission:Permission");
  const reached = permissions.filter(({ inputs }) => inputs.sourceArn === api).map(({ inputs }) => inputs.function);
  return [
    ...same([...reached].sort(), SERVING.map(name => `${view.deployment}-${name}`).sort(), "what API Gateway may call"),
    ...permissions.flatMap(({ name, inputs }) =>
      unless(
        /^(apigateway|events)\.amazonaws\.com$/.test(String(inputs.principal)) &&
          /^arn:/.test(String(inputs.sourceArn ?? "")),
        `${name} lets ${inputs.principal} in for ${inputs.sourceArn}`,
      ),
    ),
    ...same(view.of("lambda/functionUrl:FunctionUrl").length, 0, "the number of function URLs"),
  ];
};

const pagesOfOthersStayOut: Law = view =>
  same(view.one("apigatewayv2/api:Api").inputs.corsConfiguration, {}, "CORS of the API");

/** No header, no query, no body: nothing that could hold a token. */
const accessLogHasNoTokens: Law = view => {
  const format = String(at(view.one("apigatewayv2/stage:Stage").inputs, "accessLogSettings.format"));
  const told = [...format.matchAll(/\$context\.([\w.]+)/g)].map(([, field]) => field ?? "");
  const known =
    /^(requestTime|requestId|httpMethod|path|routeKey|status|responseLatency|integration\.\w+|identity\.(sourceIp|userAgent))$/;
  return [
    ...unless(told.length > 5, "the access log says next to nothing"),
    ...told.flatMap(field => unless(known.test(field), `the access log has ${field}`)),
  ];
};

const throttled: Law = view => {
  const settings = view.one("apigatewayv2/stage:Stage").inputs.defaultRouteSettings;
  const holds = Number(at(settings, "throttlingRateLimit")) > 0 && Number(at(settings, "throttlingBurstLimit")) > 0;
  return unless(holds, "the API has no limit of its own");
};

/** A job is root on its host: of the API, the host's role opens registration alone, and the files before it. */
const hostsMayOnlyRegister: Law = view => {
  const host = view.one("iam/role:Role", "HostRole");
  const api = view.arn("execute-api", view.one("apigatewayv2/api:Api").id);
  const invoked = view.may(host).filter(({ Action }) => list(Action).some(action => action.startsWith("execute-api:")));
  const messages = /^(ssm:UpdateInstanceInformation|ssmmessages:\w+Channel|ec2messages:\w+|execute-api:Invoke)$/;
  return [
    ...same(
      invoked.flatMap(({ Resource }) => list(Resource)),
      [`${api}/*/POST/v1/agent/register`, `${api}/*/GET/v1/agent/files/*`],
      "what hosts may call",
    ),
    ...view
      .may(host)
      .flatMap(({ Action }) => list(Action))
      .flatMap(action => unless(messages.test(action), `hosts may ${action}`)),
    ...same(host.inputs.managedPolicyArns ?? [], [], "managed policies of hosts"),
  ];
};

export const api = {
  routesAreTheTable,
  callersAreNamed,
  pagesOfOthersStayOut,
  accessLogHasNoTokens,
  throttled,
  hostsMayOnlyRegister,
} as const;
