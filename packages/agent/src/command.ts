/** The agent's command line. Entry points other than main.ts, which runs by itself, take `main` from here. */
import { mkdirSync } from "node:fs";
import { parseArgs } from "node:util";
import { run } from "./agent.ts";
import { messageOf } from "./disk.ts";
import { at, type Home } from "./home.ts";
import { kill } from "./kill.ts";
import { ask } from "./sock.ts";
import { VERSION } from "./version.ts";

const USAGE = `usage: main.js run --home DIR --endpoint URL [--enrollment-token-file FILE] [--address IP] [--jobs-home DIR]
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
} as const;

/** Runs one command, without the program's own name; returns the exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  try {
    const { values, positionals } = parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: true });
    if (positionals[0] === "version") return say(VERSION);
    if (positionals.length !== 1 || values.home === undefined) return misused();
    if (positionals[0] !== "run") return await tell(positionals[0] ?? "", at(values.home));
    if (values.endpoint === undefined) return misused();
    mkdirSync(values.home, { recursive: true });
    const home = at(values.home, values["jobs-home"]);
    const { endpoint, address } = values;
    return await run({ home, endpoint, address, tokenFile: values["enrollment-token-file"] });
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
