import type { Client } from "@muster/api/client.ts";
import { errors } from "@muster/core/error.ts";
import { VERSION } from "@muster/core/version.ts";
import type { Command } from "commander";
import { type Cli, cliOf, define } from "../cli.ts";
import { describe, type Target } from "../context/target.ts";
import { type Finding, failed, good } from "../doctor/finding.ts";
import * as Here from "../doctor/here.ts";
import { ensure } from "../embedded.ts";
import type { Output } from "../output.ts";
import { table } from "../table.ts";

export const doctor = (): Command =>
  define("doctor", "Check this machine, the way to the control plane, and its providers", "muster doctor").action(
    (_options: object, command: Command) => run(cliOf(command)),
  );

async function run(cli: Cli): Promise<void> {
  const { out } = cli;
  const findings: Finding[] = [];
  for await (const finding of examine(cli)) findings.push(finding);
  const ok = findings.every(one => one.ok);
  out.data({ ok, checks: findings });
  show(out, findings);
  if (ok) return;
  process.exitCode = errors.internal.exit;
  const wrong = findings.filter(one => !one.ok).length;
  out.note(`\n${wrong} of ${findings.length} ${wrong === 1 ? "is" : "are"} not in order.`);
}

/** From the inside out; what cannot be reached is not looked at. */
async function* examine(cli: Cli): AsyncGenerator<Finding> {
  yield Here.configuration(cli.env);
  try {
    const target = cli.target();
    const endpoint = await endpointOf(target);
    const answer = await Here.health(endpoint);
    yield Here.reached(target.kind === "embedded" ? `${endpoint}, on ${describe(target)},` : describe(target), answer);
    yield Here.version(answer);
    yield Here.clock(answer);
  } catch (error) {
    yield failed("endpoint", error);
    return;
  }
  yield* inside(cli);
}

/** What the control plane says, to whoever has a token. */
async function* inside(cli: Cli): AsyncGenerator<Finding> {
  const client = await signedIn(cli);
  if ("found" in client) return yield client.found;
  yield client.token;
  try {
    const { items } = await client.api.providers.doctor({});
    for (const { provider, ...check } of items) yield { where: provider, ...check };
  } catch (error) {
    yield failed("providers", error);
  }
}

async function signedIn(cli: Cli): Promise<{ api: Client; token: Finding } | { found: Finding }> {
  try {
    const api = await cli.connect();
    const { id, role, workspace } = await api.tokens.whoami({});
    return { api, token: good("token", `${id}, ${role} of workspace ${workspace}`) };
  } catch (error) {
    return { found: failed("token", error) };
  }
}

const endpointOf = async (target: Target): Promise<string> =>
  target.kind === "remote" ? target.endpoint : (await ensure(target.home, VERSION)).endpoint;

function show(out: Output, findings: readonly Finding[]): void {
  const lines = table(
    ["", "WHERE", "WHAT", ""],
    findings.map(({ ok, where, name, message }) => [
      ok ? out.paint("green", "✓") : out.paint("red", "✗"),
      where,
      name,
      message,
    ]),
  ).split("\n");
  const [head = "", ...rows] = lines;
  out.print(head);
  for (const [index, row] of rows.entries()) {
    out.print(row);
    const fix = findings[index]?.fix;
    if (fix !== undefined) out.print(`     ${fix}`);
  }
}
