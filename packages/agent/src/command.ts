/** The agent's command line. Entry points other than main.ts, which runs by itself, take `main` from here. */
import { mkdirSync } from "node:fs";
import { parseArgs } from "node:util";
import { run } from "./agent.ts";
import { messageOf } from "./disk.ts";
import { at, type Home } from "./home.ts";
import { Metadata } from "./host/metadata.ts";
import { kill } from "./kill.ts";
import { ask } from "./sock.ts";
import { VERSION } from "./version.ts";

const USAGE = `usage: main.js run --home DIR --endpoint URL [--enrollment-token-file FILE] [--address IP] [--jobs-home DIR]
                 [--register ec2]           by the instance's role, in place of a token
                 [--session-agent-within S] waits so many seconds for AWS's session agent before it registers without
                 [--metadata URL]           where the instance's metadata is, if not in the usual place
                 [--run-as USER]            runs jobs as this user, in this user's home; the agent is root
                 [--power-off COMMAND]      what ends the machine when nobody keeps it; without it, nothing does
                 [--deadline-file FILE]     where the machine's own timer reads until when it may live
       main.js kick --home DIR      make the agent poll at once
       main.js status --home DIR
       main.js kill --home DIR      end the agent and every process of every attempt
       main.js version
`;

const BAD_USAGE = 2;

const OPTIONS = {
  home: { type: "string" },
  "jobs-home": { type: "string" },
  endpoint: { type: "string" },
  "enrollment-token-file": { type: "string" },
  address: { type: "string" },
  register: { type: "string" },
  metadata: { type: "string" },
  "session-agent-within": { type: "string", default: "0" },
  "run-as": { type: "string" },
  "power-off": { type: "string" },
  "deadline-file": { type: "string" },
} as const;

/** Runs one command, without the program's own name; returns the exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  try {
    const { values, positionals } = parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: true });
    if (positionals[0] === "version") return say(VERSION);
    if (positionals.length !== 1 || values.home === undefined) return misused();
    if (positionals[0] !== "run") return await tell(positionals[0] ?? "", at(values.home));
    const { endpoint, address, register } = values;
    if (endpoint === undefined || !["ec2", undefined].includes(register)) return misused();
    const { home } = values;
    mkdirSync(home, { recursive: true });
    return await run({
      home: jobs => at(home, values["jobs-home"] ?? jobs),
      endpoint,
      address,
      tokenFile: values["enrollment-token-file"],
      metadata: register === undefined ? undefined : new Metadata(values.metadata),
      sessionAgentWithin: (Number(values["session-agent-within"]) || 0) * 1000,
      runAs: values["run-as"],
      power: { command: values["power-off"], deadlineFile: values["deadline-file"] },
    });
  } catch (error) {
    process.stderr.write(`muster agent: ${messageOf(error)}\n`);
    return 1;
  }
}

async function tell(command: string, home: Home): Promise<number> {
  if (command === "kill") {
    await kill(home);
    return 0;
  }
  if (command !== "kick" && command !== "status") return misused();
  const answer = await ask(home, command);
  if (answer !== undefined) return say(answer);
  process.stderr.write("muster agent: no agent lives here\n");
  return 1;
}

function say(text: string): number {
  process.stdout.write(`${text}\n`);
  return 0;
}

function misused(): number {
  process.stderr.write(USAGE);
  return BAD_USAGE;
}
