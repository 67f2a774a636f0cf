/** Which of the documented codes an operation can give in this world, and why it cannot give the others. */
import { type ErrorCode, errors } from "@muster/core/error.ts";
import { leastOf } from "./decisions.ts";
import type { Tally } from "./fuzz.ts";
import type { Operation } from "./spec.ts";

/** Why this operation cannot answer with that code, here or anywhere. */
const REASONS: Readonly<Record<string, string>> = {
  "launches.plan quota_exceeded": "a plan says so among its notices",
  "launches.plan over_budget": "a plan says so among its notices",
  "launches.plan frozen": "a plan says so among its notices",
  "jobs.submit unsupported": "no job that the double's machines could not run",
  "jobs.rerun unsupported": "the cluster of the job has been made, so it is supported",
  "jobs.rerun forbidden": "see the test of reruns: another's cluster is left alone",
  "clusters.remove conflict": "only while it grows at the same moment",
  "pools.set conflict": "only while the pool is being removed",
  "pools.resize conflict": "only while the pool is being removed",
  "schedules.run unsupported": "what was set was supported then",
  "tokens.revoke conflict": "only of the last token of an admin: see the test of tokens",
  "deadLetters.replay unsupported": "only of duties, which nobody buries here: see the test of dead letters",
  "hooks.get conflict": "only while it is set at the same moment",
  "issuers.set quota_exceeded": "there are more of them than a world here can have",
  "agent.enroll conflict": "a machine that came twice is told that it is not expected",
  "agent.checkpoint 200": "hosts write checkpoints past this API: see the tests of checkpoints",
};

/** Where nobody is turned away by address: what is shown there is no token that could be guessed. */
const UNCOUNTED = ["health.get", "login.options", "login.aws", "tokens.bootstrap", "hooks.receive"];

/** The outcomes that the document promises, failures of the server left out: nothing here may lead to one. */
export const promised = ({ route, codes }: Operation): string[] => [
  String(route.status),
  ...codes.filter(code => errors[code].status < 500),
];

/** Why nobody can be told that, whatever they send; undefined where somebody can. */
export function reasonWhyNot({ id, route }: Operation, code: string): string | undefined {
  const own = (route.errors as readonly ErrorCode[]).includes(code as ErrorCode);
  if (code === "forbidden" && !own && leastOf(id) === "viewer") return "every role may";
  if (code === "forbidden" && !own && (route.auth === "host" || route.auth === "none")) return "it knows no roles";
  if (code === "unauthenticated" && ["health.get", "login.options"].includes(id)) return "it asks nobody who they are";
  if (code === "forbidden" && !own && id.startsWith("agent.")) return "whoever is no machine is nobody";
  if (code === "too_many" && (UNCOUNTED.includes(id) || id.startsWith("agent.")))
    return "failures are not counted there";
  return REASONS[`${id} ${code}`];
}

/** What was promised, can be, and was not seen. */
export const unseen = (operations: readonly Operation[], tally: Tally): string[] =>
  operations.flatMap(operation =>
    promised(operation)
      .filter(code => !tally.outcomes.get(operation.id)?.has(code) && reasonWhyNot(operation, code) === undefined)
      .map(code => `${operation.id} ${code}`),
  );
