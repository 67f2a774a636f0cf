/**
 * A control plane as a process of its own, which starts agents by a program of the test's: `home agent`. Says where it is
 * in one line of JSON.
 */
import { grant } from "@muster/core/token/create.ts";
import { openControlPlane } from "@muster/local/run/control-plane.ts";

const [home = "", agent = ""] = process.argv.slice(2);
const log = { info: () => undefined, error: () => undefined };
const plane = await openControlPlane({ home, agent: [agent], log });
const { token } = await grant(plane.world, { workspace: "local", actor: "usr_ada", role: "admin" });
process.stdout.write(`${JSON.stringify({ url: plane.url, token })}\n`);
