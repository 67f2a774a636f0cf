/** Ran against: the local provider, whose machines are processes here; their agent is a stand-in that only runs. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { localProvider } from "@muster/local/provider/provider.ts";
import { machinesContract } from "./machines.ts";

/** More hosts than one machine may be asked to play. */
const TOO_MANY = 65;

function open() {
  const folder = mkdtempSync(join(tmpdir(), "mp-"));
  const provider = localProvider({
    folder,
    agent: [process.execPath, fileURLToPath(new URL("../local/provider-agent.ts", import.meta.url))],
    endpoint: () => "http://127.0.0.1:1",
    clock: { now: () => 1 },
    log: { info: () => {}, error: () => {} },
  });
  const close = async () => {
    await provider.terminate((await provider.sweep()).map(machine => machine.machineId));
    rmSync(folder, { recursive: true, force: true });
  };
  return { provider, close };
}

machinesContract("local", async () => {
  const { provider, close } = open();
  const [offer] = (await provider.offers({}, 1)).offers;
  return {
    provider,
    offer: offer!,
    workspace: "local",
    fill: intent => ({
      ...intent,
      hosts: Array.from({ length: TOO_MANY }, (_, rank) => ({ hostId: `hst_${rank}`, rank, enrollmentToken: "t" })),
    }),
    close,
  };
});
