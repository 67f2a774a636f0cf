/**
 * What `bin/muster.js` starts: the CLI, or one of the two programs that it brings along. The only file of the CLI that
 * knows the embedded control plane and the agent, and it loads them only when they are what was asked for.
 */
import { fileURLToPath } from "node:url";

const [role, ...rest] = process.argv.slice(2);
/** The same place from here and from the bundle in `dist`. */
const bin = fileURLToPath(new URL("../bin/muster.js", import.meta.url));

if (role === "__serve") {
  const { main } = await import("@muster/local/main.ts");
  process.exit(await main(rest, { agent: [process.execPath, bin, "__agent"] }));
} else if (role === "__agent") {
  const { main } = await import("@muster/agent/command.ts");
  process.exit(await main(rest));
} else {
  const { main } = await import("./main.ts");
  await main(process.argv.slice(2));
}
