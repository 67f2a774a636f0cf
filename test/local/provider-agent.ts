/** An agent that only has a socket, for tests of the provider: `run` serves it, `kill` leaves a line and may fail. */
import { appendFileSync, existsSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";

const { values, positionals } = parseArgs({
  options: {
    home: { type: "string", default: "" },
    endpoint: { type: "string" },
    "enrollment-token-file": { type: "string" },
    address: { type: "string" },
  },
  allowPositionals: true,
});

const at = (name: string): string => join(values.home, name);

async function serve(): Promise<void> {
  appendFileSync(at("runs"), `${process.pid}\n`);
  if (existsSync(at("boots-slowly"))) await pause(500);
  const socket = at("agent/sock");
  const server = createServer(connection => {
    connection.on("error", () => {});
    connection.on("data", async word => {
      if (`${word}`.trim() !== "stop") {
        if (existsSync(at("answers-slowly"))) await pause(1000);
        return connection.end(`${JSON.stringify({ pid: process.pid })}\n`);
      }
      connection.write("stopping\n");
      if (existsSync(at("stops-slowly"))) await pause(400);
      rmSync(socket, { force: true });
      process.exit(0);
    });
  });
  rmSync(socket, { force: true });
  server.listen(socket);
}

if (positionals[0] === "run") await serve();
else process.exitCode = existsSync(at("kill-fails")) ? 1 : 0;
