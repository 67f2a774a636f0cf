/** The functions: one bundle each, with the grants of their name and nothing more. */
import { statementsOf } from "@muster/aws/grants.ts";
import type { FunctionName } from "@muster/aws/places.ts";
import type { Data } from "./data.ts";
import { deploymentOf, type Here } from "./here.ts";
import type { Link } from "./links.ts";

interface Size {
  readonly timeout: `${number} seconds` | `${number} minutes`;
  /** Share of the account's concurrency that it keeps, where the deployment asked for shares. */
  readonly reserved: number;
}

const sizes: Readonly<Record<FunctionName, Size>> = {
  // API Gateway gives up after 30 seconds.
  api: { timeout: "28 seconds", reserved: 50 },
  config: { timeout: "28 seconds", reserved: 10 },
  admin: { timeout: "28 seconds", reserved: 5 },
  signin: { timeout: "28 seconds", reserved: 5 },
  // A sender gives up after 10 seconds.
  hooks: { timeout: "10 seconds", reserved: 20 },
  agent: { timeout: "28 seconds", reserved: 100 },
  // A state machine gives up on a step after 90 seconds.
  lifecycle: { timeout: "85 seconds", reserved: 20 },
  doorbell: { timeout: "60 seconds", reserved: 20 },
  // A call outside takes half a minute at most, and a batch of the queue makes ten of them at once.
  outbox: { timeout: "60 seconds", reserved: 10 },
  events: { timeout: "60 seconds", reserved: 5 },
  // A duty that outlasts its interval overlaps the next: every move is a conditional write, so both may run.
  cron: { timeout: "5 minutes", reserved: 5 },
};

export const secondsOf = (name: FunctionName): number => {
  const [count, unit] = sizes[name].timeout.split(" ");
  return Number(count) * (unit === "minutes" ? 60 : 1);
};

export const idOf = (name: string): string =>
  name
    .split(/[.-]/)
    .map(part => `${part.charAt(0).toUpperCase()}${part.slice(1)}`)
    .join("");

/** The handlers of functions/lambda/, one bundle each. */
export const handler = (at: Here, data: Data, name: FunctionName, links: Link[]) =>
  new sst.aws.Function(`${idOf(name)}Handler`, {
    name: at.names.function(name),
    handler: `functions/lambda/${name}.handler`,
    timeout: sizes[name].timeout,
    link: links,
    permissions: deploymentOf(at, data).apply(deployment => statementsOf(name, deployment)),
    ...(at.options.reservedConcurrency && { concurrency: { reserved: sizes[name].reserved } }),
  });
